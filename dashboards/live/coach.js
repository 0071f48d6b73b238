/* The coach on the page: one skeleton for every screen, filled from what the coach says. */

import { drawRoad } from "./road.js";
import { figure } from "./figures.js";
import { Voice } from "./voice.js";

const byId = (id) => document.getElementById(id);
const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const PHASES = { concentric: "pull", hold: "hold", eccentric: "release" };
const PLACES = ["neck", "shoulder", "elbow", "wrist", "upper back", "lower back", "elsewhere"];
const KEYS = {
  setup: [["Skip question", "start"]],
  ready: [["Stop", "stop"], ["Pause", "pause"], ["Skip", "skip"]],
  work: [["Stop", "stop"], ["Pause", "pause"], ["Skip", "skip"]],
  rest: [["Stop", "stop"], ["+30 s", "longer"], ["Repeat", "repeat"], ["Start", "start"]],
  paused: [["Stop", "stop"], ["Skip", "skip"], ["Go on", "go-on"]],
  lost: [["Stop", "stop"], ["Count by touch", "tap"]],
  hurt: [["No pain", "no-pain"], ["End here", "end"]],
  done: [["Close", "close"]],
};
const MAIN = new Set(["start", "go-on", "end", "tap", "close"]);

function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = kind;
  return made;
}

export class CoachScreen {
  constructor(session, ask) {
    this.session = session;
    this.ask = ask;
    this.voice = new Voice();
    this.cue = { text: "", untilS: -1 };
    this.view = null;
    this.key = "";
    this.closed = false;
    this.root = byId("coach");
    byId("voice").addEventListener("click", () => {
      const on = this.voice.toggle();
      byId("voice").setAttribute("aria-pressed", String(on));
      byId("voice").textContent = on ? "Voice" : "Mute";
    });
    byId("choose").addEventListener("click", () => this.choose());
    byId("choices-close").addEventListener("click", () => byId("choices").close());
    document.addEventListener("keydown", (event) => this.press(event));
  }

  take(message) {
    if (message.type === "coach") this.show(message);
    else if (message.type === "snapshot") this.view = null; // a session without a coach, so far
    else if (message.type === "cue") this.voice.plan(message);
    else if (message.type === "uncue") this.voice.cancel(message.id);
  }

  show(view) {
    if (this.view === null || view.screen === "setup" || view.programme !== this.view.programme) this.closed = false;
    this.view = view;
    this.shownMs = performance.now();
  }

  choose() {
    byId("choice-list").replaceChildren(...this.session.choices.map(({ name, title, about }) => {
      const button = element("button", "", "choice");
      button.type = "button";
      button.append(element("b", title), element("span", about));
      button.addEventListener("click", () => {
        byId("choices").close();
        this.closed = false;
        this.ask(`begin ${name}`);
      });
      return button;
    }));
    byId("choices").showModal();
  }

  press(event) {
    if (this.root.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    const { screen } = this.view;
    const wish = { Escape: "stop", s: "skip", r: "repeat", l: "longer", w: "swap", t: "tap" }[event.key];
    if (event.key === " " && event.target.tagName !== "BUTTON") {
      event.preventDefault();
      this.do(screen === "paused" ? "go-on" : screen === "rest" ? "start" : screen === "ready" && this.view.led ? "start" : "pause");
    } else if (event.key === "Enter" && event.target.tagName !== "BUTTON") this.do("start");
    else if (wish) this.do(wish);
    else if (/^\d$/.test(event.key) && ["setup", "hurt", "done"].includes(screen)) this.do(`pain ${event.key}`);
  }

  do(wish) {
    if (wish === "close") this.closed = true;
    else this.ask(wish);
  }

  /* `bandS`: what the band's clock shows now. */
  draw(bandS) {
    const { view } = this;
    const shown = view !== null && !this.closed;
    if (this.root.hidden === shown) {
      this.root.hidden = !shown;
      document.body.dataset.coached = String(shown);
    }
    byId("choose").hidden = !this.session.choices.length;
    if (!shown) return;
    // Without samples the coach's own clock goes on.
    const now = Math.max(bandS, view.now_s + (performance.now() - this.shownMs) / 1000);
    const given = this.voice.due(now);
    for (const cue of given) {
      if (cue.text) this.cue = { text: cue.text, untilS: cue.due_s + cue.holds_s };
      if (cue.say) this.write("coach-said", cue.say);
    }
    const key = JSON.stringify({ ...view, now_s: 0, guide: null });
    if (key !== this.key) {
      this.key = key;
      this.keepFocus(() => this.build(view));
    }
    this.move(view, now);
  }

  write(id, text) {
    if (byId(id).textContent !== text) byId(id).textContent = text;
  }

  /* Who goes by key stays on the button of the same name; else at the title of the new screen. */
  keepFocus(build) {
    const before = document.activeElement;
    const named = (button) => button.getAttribute("aria-label") ?? button.textContent;
    const name = this.root.contains(before) && before.matches("button:focus-visible") ? named(before) : null;
    build();
    if (name === null || before.isConnected) return;
    const again = [...this.root.querySelectorAll("button")].find((button) => named(button) === name);
    (again ?? byId("coach-title")).focus();
  }

  /* What stays until the coach says otherwise. */
  build(view) {
    this.root.dataset.screen = view.screen;
    this.write("coach-title", view.screen === "rest" && view.then ? view.then.title : view.title);
    this.write("coach-part", view.screen === "rest" ? `${view.count} done` : view.part);
    this.rail(view);
    this.scores(view);
    this.guide(view);
    const keys = [...KEYS[view.screen]];
    if (view.screen === "ready" && view.led) keys.push(["Start", "start"]);
    if (view.screen === "work" && view.side === "right") keys.push(["Swap", "swap"]);
    if (view.by_touch && (view.screen === "work" || view.screen === "ready")) keys.push(["Tap a rep", "tap"]);
    byId("coach-keys").replaceChildren(...keys.map(([label, wish]) => {
      const button = element("button", label, wish === "stop" ? "stop" : MAIN.has(wish) ? "main" : "");
      button.type = "button";
      button.addEventListener("click", () => this.do(wish));
      return button;
    }));
  }

  rail(view) {
    const items = [];
    for (let n = 0; n < view.most; n++) {
      items.push(element("li", "", n < view.count ? "did" : n >= view.least ? "may" : ""));
    }
    byId("coach-rail").replaceChildren(...items);
    this.write("coach-range", view.least === view.most ? String(view.most) : `${view.least}–${view.most}`);
  }

  scores(view) {
    const tiles = [];
    const add = (name, value) => {
      const tile = element("div");
      tile.append(element("dt", name), element("dd", value));
      tiles.push(tile);
    };
    if (view.screen === "rest" && view.last) {
      add("reps", String(view.last.reps));
      add("tempo", view.last.tempo_percent === null ? "–" : `${Math.round(view.last.tempo_percent)} %`);
      add("tension", `${Math.round(view.last.tut_s)} s`);
    } else if (view.screen === "work" || view.screen === "paused" || view.screen === "lost") {
      for (let i = 0; i < 3; i++) {
        const score = view.scores[i];
        if (!score) add("rep", "–");
        else if (score.percent >= 85) add(`rep ${score.rep}`, String(score.percent));
        else add(`${score.long ? "long" : "short"} ${PHASES[score.worst]}`, String(score.percent));
      }
    } else {
      const [release, bottom, pull, hold] = view.tempo;
      add("pull", `${pull} s`);
      add("hold", `${hold} s`);
      add("release", `${release + bottom} s`);
    }
    byId("coach-last").replaceChildren(...tiles);
  }

  guide(view) {
    const parts = [];
    const steps = (from) => {
      const list = element("ol", "", "steps");
      list.append(...from.setup.map((step) => element("li", step)));
      return list;
    };
    if (view.screen === "setup") {
      parts.push(element("p", `${view.programme_title} · needs ${view.equipment.join(", ")}`), steps(view), element("p", view.caution, "care"),
        element("p", "Not a medical device. If it hurts, stop.", "quiet"), ...this.pain("Any pain right now?", false));
    } else if (view.screen === "rest" && view.change === "next" && view.then) {
      parts.push(steps(view.then), element("p", view.then.caution, "care"));
    } else if (view.screen === "hurt") {
      const again = view.pain === null ? "" : ` Noted: ${view.pain} of 10.`;
      parts.push(element("p", `${view.count} reps are noted. Nothing counts as missed.${again}`), ...this.pain("How much does it hurt?", true),
        element("p", "Sharp pain, numbness, dizziness, or pain that stays: ask a doctor or physiotherapist before you go on.", "care"));
    } else if (view.screen === "done") {
      parts.push(this.table(view));
      if (view.pain_after === null) parts.push(...this.pain("Any pain now?", false));
      else parts.push(element("p", `Pain after: ${view.pain_after} of 10. Noted.`));
    } else if (view.screen === "paused") parts.push(element("p", "Tug the band twice to go on.", "tell"), element("p", "Or touch. After 5 minutes this set is closed.", "quiet"));
    else if (view.screen === "lost") parts.push(element("p", "Rest. It comes back by itself.", "tell"), element("p", "What the band measured meanwhile is fetched and counted.", "quiet"));
    byId("coach-words").replaceChildren(...parts);
    const canvas = view.screen === "work";
    const pictured = ["setup", "ready", "rest"].includes(view.screen);
    byId("coach-road").toggleAttribute("hidden", !canvas);
    byId("coach-figure").toggleAttribute("hidden", !pictured); // an SVG has no property of that name
    byId("coach-figure").setAttribute("aria-label", `How to do it: ${view.screen === "rest" && view.then ? view.then.title : view.title}`);
  }

  pain(question, where) {
    const scale = element("div", "", "pain");
    scale.setAttribute("role", "group");
    scale.setAttribute("aria-label", question);
    for (let level = 0; level <= 10; level++) {
      const button = element("button", String(level));
      button.type = "button";
      button.setAttribute("aria-label", `${level} of 10`);
      button.addEventListener("click", () => this.do(`pain ${level}${this.where ? ` ${this.where}` : ""}`));
      scale.append(button);
    }
    const parts = [element("h2", question), scale, element("p", "0 none, 10 worst", "quiet")];
    if (where) {
      const chips = element("div", "", "chips");
      chips.setAttribute("role", "group");
      chips.setAttribute("aria-label", "Where?");
      for (const place of PLACES) {
        const button = element("button", place);
        button.type = "button";
        button.setAttribute("aria-pressed", String(place === this.where));
        button.addEventListener("click", () => {
          this.where = place;
          for (const each of chips.children) each.setAttribute("aria-pressed", String(each === button));
        });
        chips.append(button);
      }
      parts.push(element("h2", "Where?"), chips);
    }
    return parts;
  }

  table(view) {
    const table = element("table");
    const head = element("tr");
    head.append(...["Set", "asked", "done", "tempo"].map((text) => element("th", text)));
    table.append(head);
    for (const set of view.done) {
      const row = element("tr");
      const asked = set.least === set.most ? `${set.most}` : `${set.least}–${set.most}`;
      row.append(element("th", set.named), element("td", asked), element("td", String(set.reps)),
        element("td", set.tempo_percent === null ? "–" : `${Math.round(set.tempo_percent)} %`));
      table.append(row);
    }
    return table;
  }

  /* What moves with time. */
  move(view, now) {
    const { screen } = view;
    let big = String(view.count);
    let word = "";
    let phase = "rest";
    let cue = now < this.cue.untilS ? this.cue.text : "";
    if (screen === "rest" && view.until_s !== null) {
      big = String(Math.max(Math.ceil(view.until_s - now), 0));
      word = { side: view.then?.side, grip: view.then?.grip, next: "Next" }[view.change] ?? "Rest";
      cue ||= view.then ? `then ${view.then.named}` : "";
    } else if (screen === "work") {
      phase = this.phase(view.guide, now);
      word = { pull: "Pull", hold: "Hold", release: "Release", wait: "Pull" }[phase];
    } else if (screen === "paused") cue = clock(Math.max(now - view.until_s, 0));
    else if (screen === "lost") cue = `${view.count} reps kept`;
    else if (screen === "ready") cue ||= view.led ? "press start" : "pull to start";
    else if (screen === "done") big = String(view.done.reduce((sum, set) => sum + set.reps, 0));
    word ||= { setup: view.title, ready: "Ready", paused: "Paused", lost: "No band", hurt: "Stopped.", done: view.stopped ? "Stopped." : "Done." }[screen] ?? "";
    if (this.root.dataset.phase !== phase) this.root.dataset.phase = phase;
    this.write("coach-big", screen === "setup" || screen === "hurt" ? "" : big);
    this.write("coach-word", word.charAt(0).toUpperCase() + word.slice(1));
    this.write("coach-cue", cue);
    if (screen === "work") drawRoad(byId("coach-road"), this.session, view, now);
    else if (!byId("coach-figure").hasAttribute("hidden")) {
      const of = screen === "rest" && view.then ? view.then : view;
      figure(byId("coach-figure"), of.figure, this.share(view.tempo, now), of.side === "left");
    }
  }

  phase(guide, now) {
    if (!guide) return "wait";
    const [pull, top, release, end, next] = guide;
    if (now < pull || (now >= end && now < next)) return "wait";
    if (now < top || now >= next) return "pull";
    return now < release ? "hold" : "release";
  }

  /* How far the figure has pulled: it moves in the tempo. */
  share([release, bottom, pull, hold], now) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return 1;
    const into = ((now % (release + bottom + pull + hold + 0.6)) + 60) % (release + bottom + pull + hold + 0.6);
    if (into < pull) return into / pull;
    if (into < pull + hold) return 1;
    return Math.max(0, 1 - (into - pull - hold) / release);
  }
}
