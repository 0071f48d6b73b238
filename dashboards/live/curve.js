/* The live force curve: uPlot, coloured by phase, with gaps, marks and numbered reps. */

const WIDE_PX = 700;
const FADE_MS = 900;
const SETTLE_S = 0.15; // how fast the right edge follows the newest sample
const STREAMING_MS = 600;
const LEAST_TOP_N = 30;

const clockText = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

export class Curve {
  constructor(element, session) {
    this.element = element;
    this.session = session;
    this.unit = { perNewton: 1, digits: 0 };
    this.edge = null;
    this.top = LEAST_TOP_N;
    this.bottom = 0;
    this.stretches = [];
    this.fades = new Map();
    this.heardMs = 0;
    this.lastFrameMs = performance.now();
    this.drawnKey = "";
    this.readColours();
    const size = this.size();
    this.plot = new uPlot(this.options(size), [[], []], element);
    new ResizeObserver(() => this.resize()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.readColours();
      this.drawnKey = "";
    });
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue(`--${name}`).trim();
    this.colours = {
      concentric: get("pull"), hold: get("hold"), eccentric: get("release"),
      rest: get("quiet"), unknown: get("quiet"),
      ink: get("ink"), dim: get("dim"), line: get("line"), gap: get("gap"), paper: get("paper"),
    };
    this.family = getComputedStyle(document.body).fontFamily;
  }

  size() {
    return { width: Math.max(this.element.clientWidth, 50), height: Math.max(this.element.clientHeight, 50) };
  }

  get spanS() {
    return this.element.clientWidth < WIDE_PX ? 20 : 30;
  }

  options({ width, height }) {
    const font = () => `500 13px ${this.family}`;
    const side = {
      stroke: () => this.colours.dim,
      ticks: { show: false },
      border: { show: false },
    };
    return {
      width,
      height,
      pxAlign: 0,
      legend: { show: false },
      cursor: { show: false },
      select: { show: false },
      padding: [20, 16, 0, 0],
      scales: {
        x: { time: false, auto: false, range: (_, min, max) => [min, max] },
        y: { auto: false, range: (_, min, max) => [min, max] },
      },
      axes: [
        {
          ...side, font: font(), size: 26, gap: 6,
          grid: { show: false },
          splits: (_u, _i, min, max) => {
            const step = max - min > 25 ? 10 : 5;
            const all = [];
            for (let s = Math.ceil(Math.max(min, 0) / step) * step; s <= max; s += step) all.push(s);
            return all;
          },
          values: (_u, splits) => splits.map(clockText),
        },
        {
          ...side, font: font(), size: 44, gap: 6,
          grid: { stroke: () => this.colours.line, width: 1 },
          splits: () => this.levels(),
          values: (_u, splits) => splits.map((n) => String(Math.round(n * this.unit.perNewton))),
        },
      ],
      series: [
        {},
        {
          width: 2.5,
          stroke: (u) => this.gradient(u, 1),
          fill: (u) => this.gradient(u, 0.16),
          points: { show: false },
          spanGaps: false,
        },
      ],
      hooks: {
        drawClear: [(u) => this.drawGaps(u)],
        draw: [(u) => this.drawAbove(u)],
      },
    };
  }

  /* About four round levels of force in the unit shown, in N. */
  levels() {
    const span = (this.top - Math.min(this.bottom, 0)) * this.unit.perNewton;
    const rough = span / 4;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
    const all = [];
    for (let level = 0; level <= this.top * this.unit.perNewton; level += step) {
      all.push(level / this.unit.perNewton);
    }
    return all;
  }

  resize() {
    this.plot.setSize(this.size());
    this.drawnKey = "";
  }

  setUnit(unit) {
    this.unit = unit;
    this.drawnKey = "";
  }

  /* Samples came: the edge may move on. */
  heard() {
    this.heardMs = performance.now();
  }

  /* Once per animation frame. */
  frame(nowMs, speed) {
    const dtS = Math.min((nowMs - this.lastFrameMs) / 1000, 0.25);
    this.lastFrameMs = nowMs;
    const newest = this.session.newest;
    if (newest === null) {
      this.edge = null;
      if (this.drawnKey !== "empty") this.plot.setData([[], []]);
      this.drawnKey = "empty";
      return;
    }
    if (this.edge === null || Math.abs(newest - this.edge) > 2 * Math.max(speed, 1)) {
      this.edge = newest;
    } else {
      if (nowMs - this.heardMs < STREAMING_MS) this.edge += dtS * speed;
      this.edge += (newest - this.edge) * (1 - Math.exp(-dtS / SETTLE_S));
    }
    this.follow(dtS);
    const key = `${this.edge.toFixed(3)} ${this.session.time.length} ${this.top.toFixed(1)} ${this.fading()}`;
    if (key === this.drawnKey && !this.session.tintsChanged) return;
    this.drawnKey = key;
    this.session.tintsChanged = false;
    this.stretches = this.session.tints(this.edge + 1);
    this.plot.batch(() => {
      this.plot.setData([this.session.time, this.session.force], false);
      this.plot.setScale("x", { min: this.edge - this.spanS, max: this.edge + this.spanS * 0.02 });
      this.plot.setScale("y", { min: this.bottom, max: this.top });
    });
  }

  /* The top grows at once and shrinks slowly, so that the scale does not pump with each rep. */
  follow(dtS) {
    const { time, force } = this.session;
    const from = this.edge - this.spanS;
    let most = 0;
    let least = 0;
    for (let i = time.length - 1; i >= 0 && time[i] >= from; i--) {
      const n = force[i];
      if (n === null) continue;
      if (n > most) most = n;
      if (n < least) least = n;
    }
    const top = Math.max(most * 1.12, LEAST_TOP_N);
    this.top = top > this.top ? top : this.top + (top - this.top) * (1 - Math.exp(-dtS / 2));
    this.bottom = Math.min(-0.02 * this.top, Math.max(least * 1.1, -this.top));
  }

  fading() {
    return [...this.fades.values()].some((at) => performance.now() - at < FADE_MS) ? performance.now() : "";
  }

  gradient(u, alpha) {
    const { left, width } = u.bbox;
    const gradient = u.ctx.createLinearGradient(left, 0, left + width, 0);
    const { min, max } = u.scales.x;
    const paint = (phase) => withAlpha(this.colours[phase] ?? this.colours.rest, alpha);
    const place = (s) => Math.min(Math.max((s - min) / (max - min), 0), 1);
    let last = "rest";
    gradient.addColorStop(0, paint(last));
    for (const [from, to, phase] of this.stretches) {
      if (to < min || from > max) continue;
      gradient.addColorStop(place(from), paint(last));
      gradient.addColorStop(place(from), paint(phase));
      gradient.addColorStop(place(to), paint(phase));
      last = phase;
    }
    return gradient;
  }

  drawGaps(u) {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    let drawn = 0;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const gap of this.session.gaps) {
      if (gap.end_s < u.scales.x.min || gap.start_s > u.scales.x.max) continue;
      drawn++;
      const from = u.valToPos(gap.start_s, "x", true);
      const to = Math.max(u.valToPos(gap.end_s, "x", true), from + 3 * ratio);
      ctx.fillStyle = withAlpha(this.colours.gap, 0.14);
      ctx.fillRect(from, bbox.top, to - from, bbox.height);
      this.hatch(ctx, from, to, bbox, ratio);
      if (to - from > 64 * ratio) {
        const middle = bbox.top + bbox.height / 2;
        ctx.font = `500 ${13 * ratio}px ${this.family}`;
        ctx.textAlign = "center";
        ctx.textBaseline = "middle";
        const width = ctx.measureText("no data").width + 12 * ratio;
        ctx.fillStyle = this.colours.paper;
        ctx.fillRect((from + to - width) / 2, middle - 11 * ratio, width, 22 * ratio);
        ctx.fillStyle = this.colours.dim;
        ctx.fillText("no data", (from + to) / 2, middle);
      }
    }
    ctx.restore();
    this.element.dataset.gaps = drawn;
  }

  hatch(ctx, from, to, bbox, ratio) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(from, bbox.top, to - from, bbox.height);
    ctx.clip();
    ctx.strokeStyle = withAlpha(this.colours.gap, 0.45);
    ctx.lineWidth = ratio;
    ctx.beginPath();
    const step = 9 * ratio;
    // The lines belong to the gap, so that they move with it.
    for (let x = from - bbox.height; x < to; x += step) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }

  drawAbove(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    const room = 12 * devicePixelRatio;
    ctx.rect(bbox.left - room, 0, bbox.width + 2 * room, bbox.top + bbox.height + room / 2);
    ctx.clip();
    this.drawMarks(u);
    this.drawReps(u);
    this.drawHead(u);
    ctx.restore();
    this.element.dataset.points = this.session.time.length;
    this.element.dataset.newest = (this.session.newest ?? 0).toFixed(2);
  }

  drawReps(u) {
    const { ctx } = u;
    const ratio = devicePixelRatio;
    const now = performance.now();
    let drawn = 0;
    ctx.textAlign = "center";
    ctx.textBaseline = "bottom";
    for (const rep of this.session.reps.values()) {
      if (rep.peak_s < u.scales.x.min || rep.peak_s > u.scales.x.max) continue;
      let alpha = 1;
      if (rep.withdrawn) {
        if (!this.fades.has(rep.id)) this.fades.set(rep.id, now);
        alpha = Math.max(0, 1 - (now - this.fades.get(rep.id)) / FADE_MS);
        if (alpha === 0) continue;
      }
      drawn++;
      const x = u.valToPos(rep.peak_s, "x", true);
      const y = u.valToPos(rep.peak_n, "y", true);
      ctx.globalAlpha = alpha;
      ctx.font = `650 ${15 * ratio}px ${this.family}`;
      ctx.fillStyle = this.colours.ink;
      ctx.fillText(String(rep.rep), x, y - 8 * ratio);
      ctx.beginPath();
      ctx.arc(x, y, 3 * ratio, 0, 2 * Math.PI);
      ctx.fillStyle = rep.settled ? this.colours.ink : this.colours.paper;
      ctx.fill();
      ctx.lineWidth = 1.5 * ratio;
      ctx.strokeStyle = this.colours.ink;
      ctx.stroke();
      ctx.globalAlpha = 1;
    }
    this.element.dataset.reps = drawn;
    for (const id of this.fades.keys()) {
      if (!this.session.reps.get(id)?.withdrawn) this.fades.delete(id);
    }
  }

  drawMarks(u) {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    for (const mark of this.session.marks) {
      if (mark.time_s === null || mark.time_s < u.scales.x.min || mark.time_s > u.scales.x.max) continue;
      const x = u.valToPos(mark.time_s, "x", true);
      ctx.strokeStyle = this.colours.dim;
      ctx.lineWidth = ratio;
      ctx.setLineDash([4 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top - 16 * ratio);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.font = `500 ${12 * ratio}px ${this.family}`;
      ctx.fillStyle = this.colours.dim;
      ctx.textAlign = "left";
      ctx.textBaseline = "top";
      ctx.fillText(mark.type === "tared" ? "tare" : mark.text || mark.kind, x + 5 * ratio, bbox.top - 16 * ratio);
    }
  }

  drawHead(u) {
    const { time, force } = this.session;
    const i = time.length - 1;
    if (i < 0 || force[i] === null) return;
    const { ctx } = u;
    ctx.beginPath();
    const x = u.valToPos(time[i], "x", true);
    ctx.arc(x, u.valToPos(force[i], "y", true), 4.5 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fillStyle = this.colours[this.session.state?.phase] ?? this.colours.rest;
    ctx.fill();
  }
}

function withAlpha(colour, alpha) {
  // The style sheet gives #rrggbb.
  const hex = Math.round(alpha * 255).toString(16).padStart(2, "0");
  return `${colour}${hex}`;
}
