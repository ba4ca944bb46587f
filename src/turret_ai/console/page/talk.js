// SPDX-License-Identifier: Apache-2.0
// Push to talk: the microphone by an AudioWorklet, as S16LE, 16 kHz where the browser can.

import { byId, notice, write } from "./page.js";

const TAIL_MS = 120; // what was said when the key went up is still on its way

export class Talk {
  constructor(link) {
    this.link = link;
    this.held = this.on = false;
    const button = byId("talk");
    button.onpointerdown = (event) => {
      if (event.button) return;
      button.setPointerCapture(event.pointerId);
      this.press();
    };
    button.onpointerup = button.onpointercancel = () => this.release();
    button.oncontextmenu = (event) => event.preventDefault();
    button.onkeydown = (event) => { if (event.key === "Enter" && !event.repeat) this.press(); };
    button.onkeyup = (event) => { if (event.key === "Enter") this.release(); };
    window.addEventListener("blur", () => this.release());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.close(); });
  }

  async press() {
    if (this.held) return;
    this.held = true;
    byId("talk").setAttribute("aria-pressed", "true");
    write(byId("level"), "opening the microphone …");
    try {
      await this.open();
    } catch (error) {
      this.give_up(reasonOf(error));
      return;
    }
    if (!this.held) return this.rest();
    if (!this.link.send({ type: "talk", rate: this.audio.sampleRate })) {
      this.give_up("there is no connection to the console");
      return;
    }
    this.on = true;
    write(byId("level"), "listening: let go at the end of the sentence");
    this.worklet.port.postMessage("talk");
  }

  release() {
    if (!this.held) return;
    this.held = false;
    byId("talk").setAttribute("aria-pressed", "false");
    if (this.on) setTimeout(() => this.worklet?.port.postMessage("rest"), TAIL_MS);
    else this.rest();
  }

  // The server says that a talk has begun or ended.
  told(on, text) {
    if (on) return;
    if (text) notice(text);
    if (this.on) this.worklet?.port.postMessage("drop");
    this.on = false;
    this.rest();
  }

  rest() {
    byId("talk").setAttribute("aria-pressed", "false");
    write(byId("level"), "");
  }

  give_up(text) {
    this.held = false;
    notice(`push to talk: ${text}`);
    this.rest();
  }

  async open() {
    if (this.audio?.state === "running" && this.stream?.active) return;
    this.shut();
    if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "InsecureError");
    this.stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true } });
    try {
      await this.connect(new AudioContext({ sampleRate: 16000 }));
    } catch (error) {
      if (error.name !== "NotSupportedError") throw error;
      await this.connect(new AudioContext()); // the server resamples
    }
  }

  async connect(audio) {
    this.audio = audio;
    await audio.audioWorklet.addModule("/page/talk-worklet.js");
    const source = audio.createMediaStreamSource(this.stream);
    this.worklet = new AudioWorkletNode(audio, "talk", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this.worklet.port.onmessage = ({ data }) => this.take(data);
    source.connect(this.worklet);
    await audio.resume();
  }

  take(data) {
    if (!this.on) return;
    if (data === "end") {
      this.on = false;
      this.link.send({ type: "talk_end" });
      this.rest();
    } else {
      this.link.send(data);
    }
  }

  close() {
    this.release();
    this.shut();
  }

  shut() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.audio?.close();
    this.stream = this.audio = this.worklet = null;
  }
}

function reasonOf(error) {
  switch (error.name) {
    case "NotAllowedError": return "the browser was told not to open the microphone";
    case "NotFoundError": return "there is no microphone";
    case "InsecureError":
      return "browsers open a microphone for localhost and https only: use an ssh tunnel (ssh -L 8765:localhost:8765 HOST)";
    default: return `the microphone does not open (${error.name})`;
  }
}
