// What makes a sound. Each voice: play(), pause(), seek(seconds), stop(), time, duration, playing; it calls `on.end`,
// `on.fail(sentence)`. Files on disk can only be played by an <audio> element; where their bytes can be had (a server,
// or a folder that the reader has chosen), a loop is played from memory, to the sample.

const context = (() => {
  let made = null;
  return () => (made ??= new AudioContext());
})();

class ElementVoice {
  constructor(source, on) {
    this.on = on;
    this.audio = new Audio();
    this.audio.preload = 'auto';
    this.audio.src = source;
    this.audio.addEventListener('ended', () => this.on.end());
    this.audio.addEventListener('error', () => this.on.fail('audio not beside this file'));
  }
  get time() { return this.audio.currentTime; }
  get duration() { return this.audio.duration || 0; }
  get playing() { return !this.audio.paused && !this.audio.ended; }
  set volume(value) { this.audio.volume = value; }
  async play() {
    try { await this.audio.play(); } catch (error) {
      if (error.name !== 'AbortError') this.on.fail(this.audio.error ? 'audio not beside this file' : String(error.message));
    }
  }
  pause() { this.audio.pause(); }
  seek(seconds) { this.audio.currentTime = seconds; }
  stop() { this.audio.pause(); this.audio.removeAttribute('src'); this.audio.load(); }
}

// Two elements take turns: the next one is started so long before the seam as it takes to be heard, as measured.
class HandoverVoice extends ElementVoice {
  constructor(source, on, loop) {
    super(source, on);
    this.loop = loop;
    this.other = new ElementVoice(source, { end: () => {}, fail: () => {} });
    this.delay = HandoverVoice.delay;
    this.on = { ...on, end: () => this.handOver() };
  }
  set volume(value) { this.audio.volume = value; this.other.audio.volume = value; }
  get end() { return Math.min(this.loop[1], this.duration || this.loop[1]); }
  async play() {
    await super.play();
    this.watch();
  }
  pause() { super.pause(); this.other.pause(); clearTimeout(this.timer); }
  stop() { clearTimeout(this.timer); super.stop(); this.other.stop(); }
  seek(seconds) { super.seek(seconds); if (this.playing) this.watch(); }
  watch() {
    clearTimeout(this.timer);
    if (this.other.audio.paused) this.other.seek(this.loop[0]);
    const left = this.end - this.time - this.delay;
    if (left <= 0.004) { this.handOver(); return; }
    this.timer = setTimeout(() => { if (this.playing) this.watch(); }, left > 0.1 ? (left - 0.05) * 1000 : 1);
  }
  handOver() {
    clearTimeout(this.timer);
    const asked = performance.now();
    const next = this.other.audio, last = this.audio;
    next.addEventListener('timeupdate', () => {
      const heard = performance.now() - (next.currentTime - this.loop[0]) * 1000;
      const measured = (heard - asked) / 1000;
      if (measured > 0 && measured < 0.5) HandoverVoice.delay = this.delay = this.delay * 0.6 + measured * 0.4;
    }, { once: true });
    this.audio = next;
    this.other.audio = last;
    next.play().then(() => setTimeout(() => { last.pause(); last.currentTime = this.loop[0]; this.watch(); }, this.delay * 1000), () => {});
  }
}
HandoverVoice.delay = 0.03;

class BufferVoice {
  constructor(buffer, on, loop) {
    this.buffer = buffer;
    this.on = on;
    this.loop = loop;
    this.at = 0;
    this.node = null;
    this.gain = context().createGain();
    this.gain.connect(context().destination);
  }
  get duration() { return this.buffer.duration; }
  get playing() { return this.node !== null; }
  set volume(value) { this.gain.gain.value = value; }
  get time() {
    if (!this.node) return this.at;
    const gone = this.at + context().currentTime - this.begun;
    if (!this.loop || gone < this.loop[1]) return Math.min(gone, this.duration);
    return this.loop[0] + (gone - this.loop[0]) % (this.loop[1] - this.loop[0]);
  }
  async play(when = 0) {
    await context().resume();
    if (this.node) return;
    const node = context().createBufferSource();
    node.buffer = this.buffer;
    if (this.loop) { node.loop = true; [node.loopStart, node.loopEnd] = this.loop; }
    node.connect(this.gain);
    node.onended = () => { if (this.node === node) { this.node = null; this.at = 0; this.on.end(); } };
    this.begun = Math.max(when, context().currentTime);
    node.start(this.begun, this.at);
    this.node = node;
  }
  pause() {
    this.at = this.time;
    const node = this.node;
    this.node = null;
    if (node) node.stop();
  }
  seek(seconds) {
    const was = this.playing;
    if (was) this.pause();
    this.at = Math.min(seconds, this.duration);
    if (was) this.play();
  }
  stop() { this.pause(); this.gain.disconnect(); }
}

// The files of a folder that the reader has chosen, by their path below it.
const chosen = new Map();
const fileOf = (source) => chosen.get(decodeURIComponent(source.replace(/^\.\//, '')));

async function bytesOf(source) {
  const file = fileOf(source);
  if (file) return file.arrayBuffer();
  if (!location.protocol.startsWith('http')) return null;
  const answer = await fetch(source);
  return answer.ok ? answer.arrayBuffer() : null;
}

async function bufferOf(source) {
  try {
    const bytes = await bytesOf(source);
    return bytes && await context().decodeAudioData(bytes);
  } catch { return null; }
}

async function voiceFor(source, loop, on) {
  if (!loop) {
    const file = fileOf(source);
    return new ElementVoice(file ? URL.createObjectURL(file) : source, on);
  }
  const buffer = await bufferOf(source);
  return buffer ? new BufferVoice(buffer, on, loop) : new HandoverVoice(source, on, loop);
}
