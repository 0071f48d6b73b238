/* The live page: joins connection, session, curve and screen. */

import { CoachScreen } from "./coach.js";
import { Connection } from "./connection.js";
import { Curve } from "./curve.js";
import { Screen } from "./screen.js";
import { Session } from "./session.js";

const UNITS = {
  N: { name: "N", perNewton: 1, digits: 0 },
  kg: { name: "kg", perNewton: 1 / 9.80665, digits: 1 },
  lb: { name: "lb", perNewton: 1 / 4.4482216152605, digits: 1 },
};

const WRITE_EVERY_MS = 100; // for the clocks; what is new is written at once

const byId = (id) => document.getElementById(id);
const session = new Session();
const screen = new Screen(session);
const coach = new CoachScreen(session, (wish) => {
  if (!connection.ask("coach", { ask: wish })) screen.answer("Not sent: there is no connection to forceband.", false);
});
const curve = new Curve(byId("chart"), session);

let version = null;
let heardMs = performance.now();
let writtenMs = 0;
let news = true;

function take(messages) {
  const before = session.newest;
  news = true;
  for (const message of messages) {
    if (message.type === "answer") {
      if (message.command === null || !message.command.startsWith("coach") || !message.ok) screen.answer(message.text, message.ok);
    } else {
      session.take(message);
      coach.take(message.type === "snapshot" && message.coach ? message.coach : message);
    }
  }
  if (session.version !== null) {
    version ??= session.version;
    // The server was replaced by a newer one: so is the page.
    if (version !== session.version) location.reload();
  }
  if (session.newest !== before) {
    heardMs = performance.now();
    curve.heard();
  }
}

const connection = new Connection(take, (state) => {
  screen.page = state;
  news = true;
});

const speed = () => (session.facts?.replay ? (session.facts.speed ?? 0) : 1);

function frame(nowMs) {
  coach.draw((session.newest ?? 0) + ((nowMs - heardMs) / 1000) * speed());
  curve.frame(nowMs, speed());
  if (news || nowMs - writtenMs > WRITE_EVERY_MS) {
    news = false;
    writtenMs = nowMs;
    screen.draw((session.newest ?? 0) + ((nowMs - heardMs) / 1000) * speed());
  }
  requestAnimationFrame(frame);
}

function chooseUnit(name) {
  const unit = UNITS[name] ?? UNITS.N;
  screen.unit = unit;
  curve.setUnit(unit);
  document.querySelector(`input[name=unit][value=${unit.name}]`).checked = true;
}

function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // private browsing: nothing is remembered
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above
  }
}

chooseUnit(remembered("unit"));
byId("units").addEventListener("change", (event) => {
  chooseUnit(event.target.value);
  remember("unit", event.target.value);
  news = true;
});

for (const command of ["tare", "mark"]) {
  byId(command).addEventListener("click", () => {
    if (!connection.ask(command)) screen.answer("Not sent: there is no connection to forceband.", false);
  });
}

if (document.fullscreenEnabled) {
  byId("full").hidden = false;
  byId("full").addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  });
}

/* A phone two metres away must not fall asleep. Browsers grant this on HTTPS and on localhost only. */
async function stayAwake() {
  if (document.hidden) return;
  try {
    await navigator.wakeLock.request("screen");
  } catch {
    // refused, as with a low battery: the person's own time-out holds
  }
}

if ("wakeLock" in navigator) {
  stayAwake();
  document.addEventListener("visibilitychange", stayAwake);
} else if (matchMedia("(pointer: coarse)").matches) {
  byId("hint").hidden = false;
  byId("hint").textContent = "This browser lets the screen dim here: set a longer screen time-out while you train.";
}

requestAnimationFrame(frame);
