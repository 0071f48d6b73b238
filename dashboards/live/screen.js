/* Writes the session onto the page. Each text is touched only when it changes. */

const WORDS = {
  concentric: "Pull", hold: "Hold", eccentric: "Release", rest: "Rest", unknown: "No data", ended: "Done", waiting: "Waiting",
};
const SHOW_REST_FROM_S = 3;
const BOTTOM = 1;

const byId = (id) => document.getElementById(id);
const clockText = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

/* The four parts of a tempo; null where one is not known. */
function tempoParts(tempo) {
  const parts = (tempo ?? "").split("-");
  return parts.length === 4 ? parts.map((part) => (part === "" || part === "?" ? null : part)) : [null, null, null, null];
}

function write(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function put(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

export class Screen {
  constructor(session) {
    this.session = session;
    this.page = "connecting";
    this.unit = { name: "N", perNewton: 1, digits: 0 };
    this.saidReps = null;
    this.tableKey = "";
    this.bannerKey = "";
  }

  force(n) {
    return n === null || n === undefined ? "–" : (n * this.unit.perNewton).toFixed(this.unit.digits);
  }

  /* `bandS`: what the band's clock shows now, as well as we know. */
  draw(bandS) {
    const { session } = this;
    put(document.body, "page", this.page);
    put(document.body, "started", String(session.newest !== null));
    this.drawCount();
    this.drawPhase(bandS);
    this.drawLast();
    this.drawSigns();
    this.drawSets();
    this.drawBanners();
  }

  drawCount() {
    const { state } = this.session;
    const reps = state === null || this.session.waiting ? null : state.reps;
    write("reps", reps === null ? "–" : String(reps));
    write("reps-word", reps === 1 ? "rep" : "reps");
    write("set", reps !== null && state.set ? `set ${state.set}` : "");
    put(byId("reps"), "long", String(reps !== null && reps > 99));
    if (reps !== null && reps !== this.saidReps) {
      if (this.saidReps !== null && reps > this.saidReps) this.flash();
      if (reps > 0) write("said", plural(reps, "rep"));
      this.saidReps = reps;
    }
  }

  flash() {
    const element = byId("reps");
    element.classList.remove("new");
    void element.offsetWidth; // begins the animation again
    element.classList.add("new");
  }

  drawPhase(bandS) {
    const { session } = this;
    let phase = session.state?.phase ?? "unknown";
    let word = WORDS[phase];
    if (session.waiting && this.page === "open") [phase, word] = ["unknown", WORDS.waiting];
    else if (session.ended) [phase, word] = ["ended", WORDS.ended];
    else if (this.page !== "open" || !(session.link?.up ?? true)) [phase, word] = ["unknown", WORDS.unknown];
    else if (session.state === null) word = session.link ? "Ready" : "No band";
    put(document.body, "phase", phase);
    write("word", word);
    const shape = `#shape-${phase}`;
    if (byId("shape").getAttribute("href") !== shape) byId("shape").setAttribute("href", shape);
    const restS = phase === "rest" && session.restFrom !== null ? bandS - session.restFrom : 0;
    write("clock", restS >= SHOW_REST_FROM_S ? clockText(restS) : "");
  }

  drawLast() {
    const { session } = this;
    const { last, state } = session;
    const now = tempoParts(last?.tempo ?? state?.tempo);
    // The bottom of the newest rep lasts until the next begins: until then, that of the rep before.
    const before = tempoParts(session.beforeLast?.tempo);
    for (let i = 0; i < 4; i++) {
      write(`tempo-${i}`, now[i] ?? (i === BOTTOM ? before[i] : null) ?? "–");
      put(byId(`tempo-${i}`), "known", String(now[i] !== null));
    }
    write("peak", this.force(last?.peak_n));
    write("peak-unit", this.unit.name);
  }

  drawSigns() {
    const { facts, link, battery, commands } = this.session;
    const exercise = facts && facts.exercise !== "unknown" ? facts.exercise.replaceAll("-", " ") : "forceband";
    const side = facts && facts.side !== "both" ? `, ${facts.side}` : "";
    write("exercise", exercise + side);
    byId("replay").hidden = !facts?.replay;
    write("replay", facts?.replay ? `replay ${facts.speed === null ? "at full speed" : `${facts.speed}×`}` : "");
    const known = link !== null && !this.session.waiting;
    put(byId("link"), "up", known ? String(link.up) : "unknown");
    write("link-text", !known ? "no band yet" : link.up ? "band connected" : "band away");
    byId("battery").hidden = battery === null;
    if (battery !== null) {
      const percent = Math.min(Math.max(battery.percent, 0), 100);
      write("battery-text", `${percent} %`);
      put(byId("battery"), "low", String(percent <= 20));
      byId("charge").setAttribute("width", String((19 * percent) / 100));
    }
    const able = this.page === "open" && !this.session.ended;
    for (const command of ["tare", "mark"]) {
      const button = byId(command);
      button.hidden = !commands.includes(command);
      button.disabled = !able;
    }
  }

  drawSets() {
    const { session } = this;
    const open = session.open;
    const key = `${this.unit.name} ${[...session.sets.values()].map((set) => `${set.set}:${set.reps}`)} | ${open.map((rep) => `${rep.id}:${rep.tut_s}:${rep.peak_n}`)}`;
    if (key === this.tableKey) return;
    this.tableKey = key;
    const rows = [...session.sets.values()].map((set) => [
      set.set, set.reps, set.tut_s, set.peak_n, set.rest_s, false,
    ]);
    if (open.length) {
      const tut = open.reduce((sum, rep) => sum + rep.tut_s, 0);
      const peak = Math.max(...open.map((rep) => rep.peak_n));
      rows.push([open[0].set, open.length, tut, peak, null, true]);
    }
    rows.sort((a, b) => b[0] - a[0]);
    byId("sets").replaceChildren(
      ...rows.map(([set, reps, tut, peak, rest, now]) => {
        const row = document.createElement("tr");
        row.className = now ? "now" : "";
        const texts = [
          String(set), String(reps), `${tut.toFixed(0)} s`, `${this.force(peak)} ${this.unit.name}`,
          rest === null ? "" : clockText(rest),
        ];
        row.replaceChildren(
          ...texts.map((text, column) => {
            const cell = document.createElement(column ? "td" : "th");
            if (!column) cell.scope = "row";
            cell.textContent = text;
            return cell;
          }),
        );
        return row;
      }),
    );
    byId("no-sets").hidden = rows.length > 0;
    const newest = [...session.sets.values()].pop();
    if (newest && !open.length) write("said", `Set ${newest.set} done: ${plural(newest.reps, "rep")}`);
  }

  drawBanners() {
    const { session } = this;
    const all = [];
    if (this.page === "lost") {
      all.push(["error", "No connection to forceband: trying again. What you see is not up to date."]);
    } else if (this.page === "locked") {
      all.push(["error", "forceband has started again with another code. Scan the code that it shows now."]);
    } else {
      if (session.waiting) all.push(["info", session.waiting]);
      if (session.link && !session.link.up && !session.ended && !session.waiting) {
        const why = session.link.reason ? ` (${session.link.reason})` : "";
        all.push(["warning", `The band is out of reach${why}. It comes back by itself.`]);
      }
      for (const notice of session.notices.values()) all.push([notice.level, notice.text]);
      if (session.ended) {
        const { sets, reps, duration_s, missing } = session.ended;
        const lost = missing ? ` ${plural(missing, "sample")} missing.` : "";
        all.push(["info", `Session ended after ${clockText(duration_s)}: ${plural(sets, "set")}, ${plural(reps, "rep")}.${lost}`]);
      }
    }
    const deliveries = [...session.deliveries.values()]
      .map(({ to, waiting, problem }) => (problem ? `${to}: ${problem} (${waiting} waiting)` : waiting ? `${to}: ${waiting} waiting` : `${to}: up to date`))
      .join(" · ");
    write("deliveries", deliveries);
    const key = JSON.stringify(all);
    if (key === this.bannerKey) return;
    this.bannerKey = key;
    byId("banners").replaceChildren(
      ...all.map(([level, text]) => {
        const banner = document.createElement("p");
        banner.className = level;
        banner.textContent = text;
        return banner;
      }),
    );
  }

  answer(text, ok) {
    const element = byId("answer");
    element.textContent = text;
    element.dataset.ok = String(ok);
    element.classList.add("shown");
    clearTimeout(this.answerTimer);
    this.answerTimer = setTimeout(() => element.classList.remove("shown"), 5000);
  }
}
