/* What the page knows of the session: messages in, plain values out. No DOM, no clock. */

export const KEEP_S = 60;

/* First index whose value is > x. */
function above(sorted, x) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > x) high = middle;
    else low = middle + 1;
  }
  return low;
}

/* First index whose value is >= x. */
function notBelow(sorted, x) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] >= x) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class Session {
  constructor() {
    this.begin();
  }

  begin() {
    this.facts = null;
    this.state = null;
    this.time = []; // s
    this.force = []; // N; null breaks the line
    this.phases = []; // [from s, phase]
    this.reps = new Map(); // by id; those with `withdrawn` fade
    this.last = null; // the newest rep that stands
    this.sets = new Map();
    this.gaps = [];
    this.marks = [];
    this.link = null;
    this.battery = null;
    this.notices = new Map();
    this.deliveries = new Map();
    this.ended = null;
    this.waiting = null; // what for, where no session runs
    this.commands = [];
    this.choices = [];
    this.coach = null;
    this.version = null;
    this.tintsChanged = true;
  }

  get newest() {
    return this.time.length ? this.time[this.time.length - 1] : null;
  }

  get number() {
    return this.state?.set ?? 0;
  }

  /* Reps of the set that is open; none once it is closed. */
  get open() {
    return [...this.reps.values()].filter((rep) => !rep.settled && !rep.withdrawn);
  }

  /* The rep before the newest one in the same set, if it is still known. */
  get beforeLast() {
    for (const rep of this.reps.values()) {
      if (!rep.withdrawn && rep.set === this.last?.set && rep.rep === this.last.rep - 1) return rep;
    }
    return null;
  }

  /* When the last effort ended, in s; null before the first. */
  get restFrom() {
    const ends = [...this.sets.values()].map((set) => set.end_s);
    if (this.last) ends.push(this.last.end_s);
    return ends.length ? Math.max(...ends) : null;
  }

  take(message) {
    switch (message.type) {
      case "snapshot": return this.takeSnapshot(message);
      case "session": this.facts = message; break;
      case "curve": return this.takeCurve(message);
      case "skipped": return this.breakLine();
      case "state": return this.takeState(message);
      case "rep": return this.takeRep(message.rep, false);
      case "withdrawn": return this.withdraw(message.id);
      case "set": return this.closeSet(message);
      case "gap": this.gaps.push(message); break;
      case "mark":
      case "tared": this.marks.push(message); break;
      case "link": this.link = message; break;
      case "battery": this.battery = message; break;
      case "notice":
        if (message.level === "ok") this.notices.delete(message.about);
        else this.notices.set(message.about, message);
        break;
      case "delivery": this.deliveries.set(message.to, message); break;
      case "ended": this.ended = message; break;
      default: // answers and beats are for others; an older page skips what it does not know
    }
  }

  takeSnapshot(all) {
    this.begin();
    this.facts = all.session;
    this.state = all.state;
    this.phases = all.phases;
    this.gaps = all.gaps;
    this.marks = all.marks;
    this.link = all.link;
    this.battery = all.battery;
    this.ended = all.ended;
    this.waiting = all.waiting ?? null;
    this.commands = all.commands;
    this.choices = all.choices ?? [];
    this.coach = all.coach ?? null;
    this.version = all.version;
    for (const rep of all.settled) this.takeRep(rep, true);
    for (const rep of all.open) this.takeRep(rep, false);
    for (const set of all.sets) this.sets.set(set.set, set);
    for (const notice of all.notices) this.notices.set(notice.about, notice);
    for (const delivery of all.deliveries) this.deliveries.set(delivery.to, delivery);
    this.takeCurve(all.curve);
  }

  takeCurve({ after, before, t, n }) {
    const from = after === null ? 0 : above(this.time, after);
    const to = before === null ? this.time.length : notBelow(this.time, before);
    this.time.splice(from, Math.max(to - from, 0), ...t);
    this.force.splice(from, Math.max(to - from, 0), ...n);
    this.trim();
  }

  breakLine() {
    if (!this.time.length) return;
    this.time.push(this.newest + 1e-6);
    this.force.push(null);
  }

  takeState(message) {
    this.state = message;
    const current = this.phases[this.phases.length - 1];
    if (!current || current[1] !== message.phase) {
      this.phases.push([message.time_s, message.phase]);
      this.tintsChanged = true;
    }
  }

  takeRep(rep, settled) {
    this.reps.set(rep.id, { ...rep, settled });
    this.findLast();
  }

  withdraw(id) {
    const rep = this.reps.get(id);
    if (rep) rep.withdrawn = true;
    this.findLast();
  }

  closeSet({ set, reps }) {
    const final = new Set(reps.map((rep) => rep.id));
    for (const rep of this.reps.values()) {
      if (rep.set === set.set && !final.has(rep.id)) rep.withdrawn = true;
    }
    for (const rep of reps) this.reps.set(rep.id, { ...rep, settled: true });
    this.sets.delete(set.set);
    if (set.reps) this.sets.set(set.set, set);
    this.findLast();
  }

  findLast() {
    this.last = null;
    for (const rep of this.reps.values()) {
      if (!rep.withdrawn && (!this.last || rep.end_s > this.last.end_s)) this.last = rep;
    }
    this.tintsChanged = true;
  }

  trim() {
    const oldest = this.newest - KEEP_S;
    // A little more than a minute may stay, so that this runs seldom.
    if (!this.time.length || this.time[0] > oldest - 10) return;
    const cut = notBelow(this.time, oldest);
    this.time.splice(0, cut);
    this.force.splice(0, cut);
    while (this.phases.length > 1 && this.phases[1][0] < oldest) this.phases.shift();
    this.gaps = this.gaps.filter((gap) => gap.end_s >= oldest);
    this.marks = this.marks.filter((mark) => mark.time_s >= oldest);
    for (const rep of this.reps.values()) {
      if (rep.end_s < oldest && rep !== this.last && (rep.settled || rep.withdrawn)) {
        this.reps.delete(rep.id);
      }
    }
  }

  /* [from, to, phase] without overlap, in order. Where a rep is known, its own limits count: the
     live phase is told four times a second only. */
  tints(until) {
    const exact = [];
    for (const rep of this.reps.values()) {
      if (rep.withdrawn) continue;
      exact.push([rep.start_s, rep.top_start_s, "concentric"]);
      exact.push([rep.top_start_s, rep.top_end_s, "hold"]);
      exact.push([rep.top_end_s, rep.end_s, "eccentric"]);
    }
    exact.sort((a, b) => a[0] - b[0]);
    const known = exact.length ? exact[exact.length - 1][1] : -Infinity;
    const live = [];
    for (let i = 0; i < this.phases.length; i++) {
      const from = this.phases[i][0];
      let phase = this.phases[i][1];
      const to = i + 1 < this.phases.length ? this.phases[i + 1][0] : until;
      // What began before the end of the last rep, and goes on, was that rep.
      if (from < known && to > known && phase === "eccentric") phase = "rest";
      live.push([from, to, phase]);
    }
    const all = [];
    let next = 0;
    let done = -Infinity;
    for (const [start, to, phase] of live) {
      let from = Math.max(start, done);
      while (next < exact.length && exact[next][0] < to) {
        const [repFrom, repTo] = exact[next];
        if (from < repFrom) all.push([from, repFrom, phase]);
        if (repTo > repFrom) all.push(exact[next]);
        from = Math.max(from, repTo);
        next++;
      }
      if (from < to) all.push([from, to, phase]);
      done = from;
    }
    all.push(...exact.slice(next));
    return all;
  }
}
