/* The WebSocket to the server: comes back by itself, and says how it is. */

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 4000;
const SILENT_MS = 13000; // the server says something every 5 s

export class Connection {
  /* `onMessages(list)` gets each frame; `onState` one of connecting, open, lost, locked. */
  constructor(onMessages, onState) {
    this.onMessages = onMessages;
    this.onState = onState;
    this.waitMs = FIRST_WAIT_MS;
    this.heardMs = performance.now();
    this.timer = null;
    setInterval(() => this.checkSilence(), 2000);
    document.addEventListener("visibilitychange", () => this.checkSilence());
    window.addEventListener("online", () => this.retryNow());
    this.open();
  }

  open() {
    this.timer = null;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/socket`);
    this.socket = socket;
    this.heardMs = performance.now();
    socket.onopen = () => {
      this.waitMs = FIRST_WAIT_MS;
      this.onState("open");
    };
    socket.onmessage = (event) => {
      this.heardMs = performance.now();
      this.onMessages(JSON.parse(event.data));
    };
    socket.onclose = () => {
      if (socket === this.socket) this.lost();
    };
  }

  async lost() {
    this.socket = null;
    this.onState("lost");
    this.timer = setTimeout(() => this.knock(), this.waitMs);
    this.waitMs = Math.min(this.waitMs * 1.6, LONGEST_WAIT_MS);
  }

  /* Ask over HTTP first: a refused WebSocket does not tell a browser why, and is logged as an error. */
  async knock() {
    try {
      const answer = await fetch("/access", { cache: "no-store" });
      if (answer.status === 401) this.onState("locked");
      else if (answer.ok) return this.open();
    } catch {
      // The server is away: stay lost.
    }
    this.timer = setTimeout(() => this.knock(), this.waitMs);
    this.waitMs = Math.min(this.waitMs * 1.6, LONGEST_WAIT_MS);
  }

  retryNow() {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.waitMs = FIRST_WAIT_MS;
    this.knock();
  }

  checkSilence() {
    if (document.hidden) return;
    if (this.socket === null) this.retryNow();
    else if (performance.now() - this.heardMs > SILENT_MS) {
      const silent = this.socket;
      this.socket = null;
      silent.close();
      this.lost();
    }
  }

  ask(command, more = {}) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify({ command, ...more }));
    return true;
  }
}
