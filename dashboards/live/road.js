/* The road: what is asked comes from the right, the dot is the person. */

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const INK = { pull: "pull", hold: "hold", release: "release", wait: "quiet" };
const LOW = 0.07;
const WAIT_AHEAD_S = 0.6; // the next pull waits for the person, so far ahead

/* Level (0 slack, 1 the usual peak) and phase asked for at s, as known at `now`. */
function asked(guide, tempo, now, s) {
  if (!guide) return [LOW, "wait"];
  let [pull, top, release, end, next] = guide;
  if (s < pull) return [LOW, "wait"];
  if (s < top) return [LOW + ((1 - LOW) * (s - pull)) / Math.max(top - pull, 0.01), "pull"];
  if (s < release) return [1, "hold"];
  if (s < end) return [1 - ((1 - LOW) * (s - release)) / Math.max(end - release, 0.01), "release"];
  if (now >= end) next = Math.max(next, now + WAIT_AHEAD_S);
  if (s < next) return [LOW, "wait"];
  const [eccentric, bottom, concentric, hold] = tempo;
  const whole = eccentric + bottom + concentric + hold + 0.15;
  const from = next + Math.floor((s - next) / whole) * whole;
  return asked([from, from + concentric, from + concentric + hold, from + whole - bottom - 0.15, from + whole], tempo, from, s);
}

export function drawRoad(canvas, session, view, now) {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.lineJoin = ctx.lineCap = "round";
  const road = Math.min(Math.max(height * 0.16, 22), 46);
  const spanS = width < 520 ? 6.2 : width / 92;
  const pastS = spanS * 0.26;
  const x = (s) => ((s - now + pastS) / spanS) * width;
  const y = (level) => height - road * 0.75 - Math.min(level, 1.25) * (height - road * 1.5) * 0.85;
  ctx.lineWidth = road;
  ctx.lineCap = "butt";
  ctx.globalAlpha = 0.42;
  let drawn = null;
  for (let s = now - pastS; s <= now + spanS; s += 0.04) {
    const [level, phase] = asked(view.guide, view.tempo, now, s);
    if (phase !== drawn) {
      if (drawn) {
        ctx.lineTo(x(s), y(level));
        ctx.stroke();
      }
      drawn = phase;
      ctx.strokeStyle = style(INK[phase]);
      ctx.beginPath();
    }
    ctx.lineTo(x(s), y(level));
  }
  ctx.stroke();
  ctx.lineCap = "round";
  ctx.globalAlpha = 1;
  // Without a usual height the road is a shape: the person's line is drawn against its own peak.
  const { time, force } = session;
  let from = time.length;
  while (from > 0 && time[from - 1] > now - pastS) from--;
  const recent = force.slice(Math.max(time.length - 1600, 0)).filter((n) => n !== null);
  const base = recent.length ? Math.min(...recent) : 0;
  const rise = view.usual_n ?? Math.max(...recent.map((n) => n - base), 10);
  const level = (n) => LOW + ((1 - LOW) * (n - base)) / rise;
  ctx.strokeStyle = style("ink");
  ctx.lineWidth = Math.max(road * 0.16, 4);
  ctx.beginPath();
  for (let i = from; i < time.length; i++) {
    if (force[i] === null) ctx.moveTo(x(time[i + 1] ?? time[i]), y(LOW));
    else ctx.lineTo(x(time[i]), y(level(force[i])));
  }
  ctx.stroke();
  const newest = recent.length ? level(recent[recent.length - 1]) : LOW;
  ctx.beginPath();
  ctx.arc(x(now), y(newest), road * 0.5, 0, 7);
  ctx.fillStyle = style("ink");
  ctx.fill();
  ctx.lineWidth = road * 0.14;
  ctx.strokeStyle = style("paper");
  ctx.stroke();
}
