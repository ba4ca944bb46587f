// SPDX-License-Identifier: Apache-2.0
// The one connection: sections and pictures in, requests out. It comes back by itself.

const SILENCE_MS = 4000; // the server says something every second
const FIRST_RETRY_MS = 250, LONGEST_RETRY_MS = 3000;
const UNKNOWN = 4401, FULL = 4429;

export class Link {
  // handlers: sections(object), picture(header, blob) -> promise, word(object), state(name, text),
  // token() -> promise of a text
  constructor(handlers) {
    this.handlers = handlers;
    this.token = takeToken();
    this.retry = FIRST_RETRY_MS;
    this.offset = 0; // server's clock minus ours, ms
    this.bestTrip = Infinity;
    document.addEventListener("visibilitychange", () => this.look());
    setInterval(() => this.watch(), 500);
    setInterval(() => this.askTime(), 5000);
    this.open();
  }

  get isOpen() { return this.socket?.readyState === WebSocket.OPEN; }

  open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/live`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.received = this.busy = 0;
    this.heard = performance.now();
    this.wasHeard = false;
    socket.onopen = () => {
      this.send({ type: "hello", token: this.token });
      this.bestTrip = Infinity;
      for (const delay of [100, 400, 800]) setTimeout(() => this.askTime(), delay);
      this.look();
    };
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = (event) => { if (socket === this.socket) this.lost(event.code); };
  }

  async lost(code) {
    this.socket = null;
    if (code === UNKNOWN) {
      this.handlers.state("lost", "the token is not known");
      this.token = await this.handlers.token();
      sessionStorage.setItem("token", this.token);
    } else {
      this.handlers.state("lost", code === FULL ? "too many pages look already" : "connection lost");
    }
    setTimeout(() => this.open(), this.retry);
    this.retry = Math.min(LONGEST_RETRY_MS, this.retry * 1.6);
  }

  watch() {
    if (this.socket && performance.now() - this.heard > SILENCE_MS) {
      const socket = this.socket;
      socket.close();
      socket.onclose = socket.onmessage = null; // a peer that is gone never confirms
      this.lost(0);
    }
  }

  take(data) {
    this.heard = performance.now();
    this.received += 1;
    if (!this.wasHeard) {
      this.wasHeard = true;
      this.retry = FIRST_RETRY_MS;
      this.handlers.state("open", "connected");
    }
    if (typeof data === "string") {
      const message = JSON.parse(data);
      if (message.type === "time") this.setTime(message);
      else if (message.sections) this.handlers.sections(message.sections);
      else this.handlers.word(message);
      this.acknowledge();
      return;
    }
    const socket = this.socket;
    const length = new DataView(data).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    const blob = new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" });
    this.busy += 1;
    this.handlers.picture(header, blob).finally(() => {
      if (socket !== this.socket) return;
      this.busy -= 1;
      this.acknowledge();
    });
  }

  // What is still being decoded is not taken in yet: so the server sends no more than is shown.
  acknowledge() { this.send({ type: "ack", count: this.received - this.busy }); }

  look() { this.send({ type: "look", frames: !document.hidden }); }

  askTime() { this.send({ type: "time", sent: performance.timeOrigin + performance.now() }); }

  setTime(message) {
    const now = performance.timeOrigin + performance.now();
    const trip = now - message.sent;
    if (trip <= this.bestTrip) {
      this.bestTrip = trip;
      this.offset = message.server - (message.sent + now) / 2;
    }
    this.bestTrip += 0.1; // clocks drift: an old answer is not the best for ever
  }

  // The server's clock, ms since 1970.
  now() { return performance.timeOrigin + performance.now() + this.offset; }

  send(request) {
    if (!this.isOpen) return false;
    this.socket.send(request instanceof ArrayBuffer ? request : JSON.stringify(request));
    return true;
  }
}

// From the address's fragment, which no server ever sees, or from this tab's memory.
function takeToken() {
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (found) {
    sessionStorage.setItem("token", found);
    history.replaceState(null, "", location.pathname);
  }
  return found ?? sessionStorage.getItem("token") ?? "";
}
