/* Cues as they fall due on the band's clock: tones, spoken words. Silent until touched, as browsers are. */

const TONES = {
  up: [440, 660, 0.14], level: [660, 660, 0.09], down: [660, 440, 0.14], tick: [880, 880, 0.06],
  end: [660, 330, 0.5], turn: [520, 780, 0.3], low: [220, 196, 0.5],
};
const AHEAD_S = 0.25; // a tone is handed to the audio clock so long before it is due
const AFTER_CANCEL_MS = 60; // some browsers swallow what is said at once after cancel()

export class Voice {
  constructor() {
    this.on = false;
    this.waiting = [];
    this.playing = new Map();
  }

  toggle() {
    this.on = !this.on;
    if (this.on) this.audio ??= new AudioContext();
    else window.speechSynthesis?.cancel();
    return this.on;
  }

  plan(cue) {
    this.waiting.push({ ...cue, sounded: false });
  }

  cancel(id) {
    this.waiting = this.waiting.filter((cue) => cue.id !== id);
    this.playing.get(id)?.stop();
    this.playing.delete(id);
  }

  /* What falls due at `now` on the band's clock; tones are begun a little ahead, to the sample. */
  due(now) {
    const given = [];
    const later = [];
    for (const cue of this.waiting) {
      if (!cue.sounded && cue.sound && cue.due_s - now < AHEAD_S && now - cue.due_s <= Math.max(cue.late_s, 0.15)) {
        cue.sounded = true;
        this.tone(cue, Math.max(cue.due_s - now, 0));
      }
      if (cue.due_s > now) later.push(cue);
      else if (now - cue.due_s <= Math.max(cue.late_s, 0.5)) given.push(cue);
    }
    this.waiting = later;
    for (const cue of given) this.say(cue.say);
    return given;
  }

  say(words) {
    if (!this.on || !words || !window.speechSynthesis) return;
    if (speechSynthesis.speaking) speechSynthesis.cancel();
    const spoken = new SpeechSynthesisUtterance(words);
    spoken.rate = 1.1;
    setTimeout(() => speechSynthesis.speak(spoken), AFTER_CANCEL_MS);
  }

  tone(cue, inS) {
    document.body.dataset.tones = String(Number(document.body.dataset.tones ?? 0) + 1);
    if (!this.on) return;
    const [from, to, s] = TONES[cue.sound];
    const at = this.audio.currentTime + inS;
    const tone = this.audio.createOscillator();
    const gain = this.audio.createGain();
    tone.frequency.setValueAtTime(from, at);
    tone.frequency.exponentialRampToValueAtTime(to, at + s);
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(0.3, at + 0.01);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + s);
    tone.connect(gain).connect(this.audio.destination);
    tone.start(at);
    tone.stop(at + s);
    this.playing.set(cue.id, tone);
    tone.onended = () => this.playing.delete(cue.id);
  }
}
