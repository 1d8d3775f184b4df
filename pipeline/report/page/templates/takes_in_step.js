// The takes of one track, all of them playing from the same moment on and one of them heard: switching has no gap.

class TakesInStep {
  constructor(sounds, on) {
    this.sounds = sounds; // [{ buffer, gain }], gain as a factor; buffer null: it can't be heard
    this.on = on;
    this.heard = Math.max(0, sounds.findIndex((sound) => sound.buffer));
    this.at = 0;
    this.nodes = null;
    this.levels = sounds.map(() => {
      const level = context().createGain();
      level.connect(context().destination);
      return level;
    });
  }
  get playing() { return this.nodes !== null; }
  get duration() { return Math.max(0, ...this.sounds.map((sound) => sound.buffer?.duration ?? 0)); }
  get time() {
    return this.nodes ? Math.min(this.duration, this.at + Math.max(0, context().currentTime - this.begun)) : this.at;
  }
  async play() {
    await context().resume();
    if (this.nodes) return;
    if (this.at >= this.duration) this.at = 0;
    this.begun = context().currentTime + 0.03;
    let left = 0;
    this.nodes = this.sounds.map((sound, number) => {
      if (!sound.buffer || this.at >= sound.buffer.duration) return null;
      const node = context().createBufferSource();
      node.buffer = sound.buffer;
      node.connect(this.levels[number]);
      node.start(this.begun, this.at);
      left++;
      node.onended = () => { if (--left === 0 && this.nodes?.includes(node)) { this.nodes = null; this.at = 0; this.on.change(); } };
      return node;
    });
    this.mix(0);
    this.on.change();
  }
  pause() {
    this.at = this.time;
    const nodes = this.nodes ?? [];
    this.nodes = null;
    for (const node of nodes) node?.stop();
    this.on.change();
  }
  seek(seconds) {
    const was = this.playing;
    if (was) this.pause();
    this.at = Math.min(Math.max(0, seconds), this.duration);
    if (was) this.play(); else this.on.change();
  }
  hear(number) {
    if (!this.sounds[number]?.buffer) return;
    this.heard = number;
    this.mix(0.004);
    this.on.change();
  }
  mix(seconds) {
    const now = context().currentTime;
    this.levels.forEach((level, number) => {
      const target = number === this.heard ? this.sounds[number].gain : 0;
      level.gain.cancelScheduledValues(now);
      if (seconds) level.gain.setTargetAtTime(target, now, seconds); else level.gain.setValueAtTime(target, now);
    });
  }
  stop() {
    this.pause();
    for (const level of this.levels) level.disconnect();
  }
}

// What each take is turned down by, so that all are as loud as the softest: down only, so that nothing clips.
function equalGains(takes) {
  const known = takes.map((take) => take.lufs).filter((lufs) => lufs !== null);
  const softest = Math.min(...known);
  return takes.map((take) => (take.lufs === null ? 1 : 10 ** ((softest - take.lufs) / 20)));
}
