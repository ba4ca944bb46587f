// SPDX-License-Identifier: Apache-2.0
// Runs in the audio thread: 128 samples at a time become pieces of 40 ms, S16LE. What came in the
// last 0.2 s before the key is kept: people begin to speak with the key.

const PIECE_S = 0.04, BEFORE_PIECES = 5;

class Talk extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Int16Array(Math.round(PIECE_S * sampleRate));
    this.filled = 0;
    this.before = [];
    this.talking = false;
    this.port.onmessage = ({ data }) => {
      if (data === "talk") {
        this.talking = true;
        for (const piece of this.before.splice(0)) this.send(piece);
      } else {
        if (data === "rest" && this.talking) {
          if (this.filled) this.send(this.piece.slice(0, this.filled));
          this.port.postMessage("end");
        }
        this.talking = false;
        this.filled = 0;
      }
    };
  }

  send(piece) { this.port.postMessage(piece.buffer, [piece.buffer]); }

  process([channels]) {
    for (const value of channels[0] ?? []) {
      this.piece[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
      if (this.filled === this.piece.length) {
        const piece = this.piece.slice();
        this.filled = 0;
        if (this.talking) this.send(piece);
        else {
          this.before.push(piece);
          if (this.before.length > BEFORE_PIECES) this.before.shift();
        }
      }
    }
    return true;
  }
}

registerProcessor("talk", Talk);
