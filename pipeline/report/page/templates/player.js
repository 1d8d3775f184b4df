// One track plays at a time: by its button, its waveform, the keys, or the deck at the page's foot.

const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
document.documentElement.classList.add('js');

const clock = (seconds) => {
  const whole = Math.floor(seconds), minutes = Math.floor(whole / 60);
  return `${minutes}:${String(whole % 60).padStart(2, '0')}`;
};

// A whole length, rounded as the table has it.
const lengthText = (seconds) => clock(Math.round(seconds));

const deck = find('.deck');
const player = {
  row: null, voice: null, turn: 0,

  get looping() { return find('#d-loop').checked; },

  async start(row, at = 0) {
    const button = find('.play', row);
    if (!button) return;
    this.leave();
    const turn = ++this.turn;
    this.row = row;
    row.classList.add('on', 'playing');
    deck.hidden = false;
    deck.classList.add('playing');
    const link = find('#d-name');
    link.textContent = row.dataset.name;
    link.href = `#${row.id}`;
    find('#d-note').textContent = '';
    const loop = this.looping && button.dataset.loop ? button.dataset.loop.split(',').map(Number) : null;
    find('.switch').hidden = !button.dataset.loop;
    find('.exact').hidden = !button.dataset.loop || location.protocol !== 'file:' || chosen.size > 0;
    const voice = await voiceFor(button.dataset.src, loop, {
      end: () => this.ended(row),
      fail: (sentence) => this.failed(row, sentence),
    });
    if (turn !== this.turn) { voice.stop(); return; }
    this.voice = voice;
    voice.volume = Number(find('#d-volume').value);
    if (at) voice.seek(at);
    await voice.play();
    this.show();
  },

  leave() {
    this.turn++;
    if (this.voice) this.voice.stop();
    this.voice = null;
    if (this.row) this.row.classList.remove('on', 'playing');
    label(this.row, false);
    this.row = null;
  },

  toggle(row = this.row) {
    if (!row) { row = visibleRows()[0]; if (!row) return; }
    if (row !== this.row || !this.voice) { this.start(row); return; }
    if (this.voice.playing) this.voice.pause(); else this.voice.play();
    this.show();
  },

  seek(row, seconds) {
    if (row !== this.row || !this.voice) { this.start(row, Math.max(0, seconds)); return; }
    this.voice.seek(Math.min(Math.max(0, seconds), lengthOf(row)));
    this.draw();
  },

  ended(row) {
    if (row !== this.row) return;
    this.voice.seek(0);
    this.show();
  },

  failed(row, sentence) {
    if (row !== this.row) return;
    row.classList.add('missing');
    find('#d-note').textContent = sentence;
    this.show(false);
  },

  show(playing = this.voice !== null && this.voice.playing) {
    if (this.row) this.row.classList.toggle('playing', playing);
    deck.classList.toggle('playing', playing);
    label(this.row, playing);
    find('#d-play').setAttribute('aria-label', playing ? 'Pause' : 'Play');
    this.draw();
    if (playing) requestAnimationFrame(() => this.tick());
  },

  tick() {
    if (!this.voice) return;
    if (!this.voice.playing) { this.show(false); return; }
    this.draw();
    requestAnimationFrame(() => this.tick());
  },

  draw() {
    if (!this.row || !this.voice) return;
    const whole = lengthOf(this.row), now = Math.min(this.voice.time, whole || Infinity);
    const slider = find('.wave', this.row);
    slider.style.setProperty('--at', `${whole ? now / whole * 100 : 0}%`);
    const text = `${clock(now)} of ${lengthText(whole)}`;
    if (slider.getAttribute('aria-valuetext') !== text) {
      slider.setAttribute('aria-valuenow', now.toFixed(1));
      slider.setAttribute('aria-valuetext', text);
      find('#d-time').textContent = text.replace(' of ', ' / ');
    }
  },
};

const lengthOf = (row) => Number(row.dataset.duration) || 0;
const visibleRows = () => all('.track:not([hidden])').filter((row) => find('.play', row));

function label(row, playing) {
  const button = row && find('.play', row);
  if (button) button.setAttribute('aria-label', `${playing ? 'Pause' : 'Play'} ${row.dataset.name}`);
}

function neighbour(row, step) {
  const rows = visibleRows();
  const at = rows.indexOf(row);
  return rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
}

function go(step) {
  const next = neighbour(player.row, step);
  if (next && next !== player.row) { player.start(next); next.scrollIntoView({ block: 'nearest' }); }
}

document.addEventListener('click', (event) => {
  const row = event.target.closest('.track');
  if (event.target.closest('.track .play')) player.toggle(row);
  else if (event.target.closest('.wave') && row) {
    const slider = event.target.closest('.wave'), box = slider.getBoundingClientRect();
    player.seek(row, (event.clientX - box.left) / box.width * lengthOf(row));
  }
});
find('#d-play').addEventListener('click', () => player.toggle());
find('#d-prev').addEventListener('click', () => go(-1));
find('#d-next').addEventListener('click', () => go(1));
find('#d-volume').addEventListener('input', (event) => { if (player.voice) player.voice.volume = Number(event.target.value); });
find('#d-loop').addEventListener('change', () => {
  if (player.row && player.voice) { const { row, voice } = player; player.start(row, voice.time); }
});

const LEAPS = { ArrowLeft: -5, ArrowRight: 5, PageDown: -30, PageUp: 30 };

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea, dialog')) return;
  const row = event.target.closest('.track'), slider = event.target.closest('.wave');
  if (event.key === ' ') {
    if (event.target.closest('button, a, summary')) return;
    event.preventDefault();
    player.toggle(row && find('.play', row) ? row : undefined);
  } else if (event.key in LEAPS && (slider || player.row) && (slider || event.key.startsWith('Arrow'))) {
    event.preventDefault();
    const at = slider && row !== player.row ? 0 : player.voice ? player.voice.time : 0;
    player.seek(slider ? row : player.row, at + LEAPS[event.key]);
  } else if (slider && (event.key === 'Home' || event.key === 'End')) {
    event.preventDefault();
    player.seek(row, event.key === 'Home' ? 0 : lengthOf(row) - 1);
  } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
    const next = neighbour(row ?? player.row, event.key === 'ArrowUp' ? -1 : 1);
    if (!next) return;
    event.preventDefault();
    find('.play', next).focus();
  } else if (event.key === '/') {
    event.preventDefault();
    find('#find').focus();
  }
});

find('#folder').addEventListener('change', (event) => {
  for (const file of event.target.files) chosen.set(file.webkitRelativePath.split('/').slice(1).join('/'), file);
  if (player.row) player.start(player.row);
});
