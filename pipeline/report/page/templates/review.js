// `pipeline review`: takes side by side, and what a person makes of them.

const SVG = 'http://www.w3.org/2000/svg';

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function drawing(take) {
  if (!take.drawing) return make('span', { class: 'undrawn' }, 'not drawn');
  const { width, peaks, bodies, loudness } = take.drawing;
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${width} 80`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  const add = (path, kind, mirrored) => {
    const shape = document.createElementNS(SVG, 'path');
    shape.setAttribute('d', path);
    shape.setAttribute('class', kind);
    if (mirrored) shape.setAttribute('transform', 'matrix(1 0 0-1 0 80)');
    svg.append(shape);
  };
  for (const mirrored of [false, true]) { add(peaks, 'peak', mirrored); add(bodies, 'body', mirrored); }
  if (loudness) add(loudness, 'loudness', false);
  return svg;
}

const figureOf = (value, unit) => (value === null ? null : `${value.toFixed(1).replace('-', '−')} ${unit}`);
const moneyOf = (take) => (take.placeholder ? 'free' : take.cost_usd === null ? null : `$${take.cost_usd.toFixed(4)}`);

async function ask(address, body) {
  const answer = body === undefined ? await fetch(address)
    : await fetch(address, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const document = await answer.json().catch(() => ({ ok: false, error: `the review answered ${answer.status}` }));
  if (!answer.ok || document.ok === false) throw Object.assign(new Error(document.error ?? `the review answered ${answer.status}`), { document });
  return document;
}

class Panel {
  constructor(row) {
    this.row = row;
    this.at = { manifest: row.dataset.manifest, track: row.dataset.name };
    this.blind = false;
    this.sentence = make('p', { class: 'sentence', role: 'status' });
    this.list = make('ol', { class: 'takes-list' });
    this.position = make('input', { type: 'range', min: 0, max: 0, step: 0.01, value: 0, 'aria-label': 'Position', oninput: () => this.deck?.seek(Number(this.position.value)) });
    this.time = make('output', {}, '0:00');
    this.playButton = make('button', { type: 'button', class: 'wide', onclick: () => this.toggle() }, 'Play');
    this.reroll = make('div', { class: 'reroll' });
    this.dialog = make('dialog', { class: 'panel', 'aria-labelledby': 'panel-head', onclose: () => this.leave(), onkeydown: (event) => this.key(event) },
      make('header', {},
        make('h2', { id: 'panel-head' }, `Takes of ${row.dataset.name}`),
        make('button', { type: 'button', class: 'close', 'aria-label': 'Close', onclick: () => this.dialog.close() }, '×')),
      make('div', { class: 'transport' }, this.playButton, this.position, this.time,
        make('label', { class: 'switch' }, make('input', { type: 'checkbox', id: 'blind', onchange: (event) => this.setBlind(event.target.checked) }), 'Blind')),
      make('p', { class: 'remark' }, 'All at one loudness, in step. Space hears the next one at the same moment, 1 to 9 one of them, P plays and pauses.'),
      this.list, this.reroll, this.sentence);
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.load();
  }

  async load() {
    try {
      const asked = new URLSearchParams(this.at);
      const { takes } = await ask(`api/takes?${asked}`);
      this.takes = takes.filter((take) => take.status === 'collected');
      this.order = this.takes.map((_, number) => number);
      const gains = equalGains(this.takes);
      const buffers = await Promise.all(this.takes.map((take) => (take.audio ? bufferOf(take.audio) : null)));
      if (!this.dialog.open) return;
      this.deck?.stop();
      this.deck = new TakesInStep(buffers.map((buffer, number) => ({ buffer, gain: gains[number] })), { change: () => this.show() });
      this.position.max = this.deck.duration;
      if (this.blind) this.shuffle();
      this.fill();
      this.offer();
    } catch (error) { this.say(error.message); }
  }

  fill() {
    this.cards = this.order.map((number, place) => this.card(this.takes[number], number, place));
    this.list.replaceChildren(...this.cards);
    if (!this.takes.length) this.say('There is no take to be heard yet.');
    this.show();
  }

  card(take, number, place) {
    const name = this.blind ? String.fromCharCode(65 + place) : take.take;
    const facts = this.blind ? [] : [
      figureOf(take.lufs, 'LUFS'), figureOf(take.true_peak_dbtp, 'dBTP'), take.duration === null ? null : lengthText(take.duration),
      moneyOf(take), take.date?.slice(0, 10), take.finished ? null : 'not finished: as it came', take.placeholder ? 'placeholder' : null,
    ].filter(Boolean);
    const silent = !this.deck.sounds[number].buffer;
    const hear = make('button', { type: 'button', class: 'hear', 'aria-pressed': 'false', disabled: silent, onclick: () => { this.deck.hear(number); if (!this.deck.playing) this.deck.play(); } }, name,
      make('span', { class: 'sr' }, this.blind ? ', hear it' : `, hear take ${take.take}`));
    const wave = make('div', { class: 'wave' }, this.blind ? '' : drawing(take));
    const pick = make('button', { type: 'button', class: 'pick', disabled: take.is_pick && !this.blind, onclick: () => this.pick(take) },
      take.is_pick && !this.blind ? 'The pick' : this.blind ? `Pick ${name}` : `Pick take ${take.take}`);
    const said = this.blind ? [] : [this.star(take), this.note(take)];
    return make('li', { class: 'take' }, hear, wave,
      make('div', { class: 'facts' }, facts.join(' · '), take.unfit && !this.blind ? make('span', { class: 'why' }, make('strong', {}, take.unfit)) : null),
      make('div', { class: 'doings' }, ...said, pick));
  }

  star(take) {
    const button = make('button', { type: 'button', class: 'star', 'aria-pressed': String(take.starred), 'aria-label': `Star take ${take.take}` }, take.starred ? '★' : '☆');
    button.addEventListener('click', () => this.write('api/star', { take: take.version, starred: !take.starred }, () => {
      take.starred = !take.starred;
      button.setAttribute('aria-pressed', String(take.starred));
      button.textContent = take.starred ? '★' : '☆';
    }));
    return button;
  }

  note(take) {
    const field = make('input', { type: 'text', class: 'note', maxlength: 2000, placeholder: 'note', 'aria-label': `Note on take ${take.take}` });
    field.value = take.note;
    field.addEventListener('change', () => this.write('api/note', { take: take.version, note: field.value }, () => { take.note = field.value; }));
    return field;
  }

  async pick(take) {
    await this.write('api/pick', { take: take.version }, (answer) => {
      if (answer.row) this.replaceRow(answer.row);
      this.blind = false;
      find('#blind', this.dialog).checked = false;
      return this.load();
    });
  }

  replaceRow(text) {
    const template = document.createElement('template');
    template.innerHTML = `<table><tbody>${text}</tbody></table>`;
    const row = find('.track', template.content);
    if (!row) return;
    if (player.row === this.row) player.leave();
    order.set(row, order.get(this.row));
    texts.delete(this.row);
    this.row.replaceWith(row);
    this.row = row;
    filter();
  }

  async write(address, body, done) {
    this.busy(true);
    try {
      const answer = await ask(address, { ...this.at, ...body });
      this.say(answer.sentence);
      await done?.(answer);
      return answer;
    } catch (error) {
      this.say(error.message);
      return null;
    } finally { this.busy(false); }
  }

  // Another take: its price first, then one purchase, then what becomes of it.
  offer() {
    this.reroll.replaceChildren(make('button', { type: 'button', onclick: () => this.price() }, 'Another take: what would it cost?'));
  }

  async price() {
    const answer = await this.write('api/reroll/price', {});
    if (!answer) return;
    const buy = make('button', { type: 'button', class: 'wide', onclick: () => { buy.disabled = true; this.buy(answer.estimate_microusd); } }, answer.estimate_microusd ? `Buy it for $${answer.price_usd.toFixed(4)}` : 'Generate it, free');
    this.reroll.replaceChildren(buy, make('button', { type: 'button', onclick: () => this.offer() }, 'Not now'));
  }

  async buy(estimate) {
    const answer = await this.write('api/reroll', { estimate_microusd: estimate });
    if (!answer) { this.offer(); return; }
    const told = make('p', { class: 'remark', role: 'status' }, 'on its way');
    this.reroll.replaceChildren(told);
    for (;;) {
      await new Promise((done) => setTimeout(done, 1000));
      let work;
      try { work = await ask(`api/work/${encodeURIComponent(answer.work)}`); } catch (error) { this.say(error.message); break; }
      if (work.state !== 'running') { this.say(work.sentence); break; }
      if (work.events.length) told.textContent = work.events.at(-1);
    }
    if (this.dialog.open) await this.load();
  }

  setBlind(blind) {
    this.blind = blind;
    this.order = this.takes.map((_, number) => number);
    if (blind) this.shuffle();
    this.say(blind ? 'Shuffled: which is which is shown once one is picked, or here switched off.' : '');
    this.fill();
  }

  shuffle() {
    for (let last = this.order.length - 1; last > 0; last--) {
      const other = Math.floor(Math.random() * (last + 1));
      [this.order[last], this.order[other]] = [this.order[other], this.order[last]];
    }
    if (this.order.length) this.deck.hear(this.order[0]);
  }

  toggle() { if (this.deck?.playing) this.deck.pause(); else this.deck?.play(); }

  key(event) {
    if (event.target.matches('input[type="text"]') || event.ctrlKey || event.metaKey || event.altKey || !this.deck) return;
    if (event.key === ' ' && !event.target.matches('.pick, .star, .close, .reroll button, [type="checkbox"]')) {
      event.preventDefault();
      const place = this.order.indexOf(this.deck.heard);
      this.deck.hear(this.order[(place + 1) % this.order.length]);
      if (!this.deck.playing) this.deck.play();
    } else if (/^[1-9]$/.test(event.key) && this.order[event.key - 1] !== undefined) this.deck.hear(this.order[event.key - 1]);
    else if (event.key.toLowerCase() === 'p') this.toggle();
    else return;
    event.stopPropagation();
  }

  show() {
    if (!this.deck) return;
    const { playing } = this.deck;
    this.playButton.textContent = playing ? 'Pause' : 'Play';
    this.cards?.forEach((card, place) => {
      const heard = this.order[place] === this.deck.heard;
      card.classList.toggle('on', heard);
      find('.hear', card).setAttribute('aria-pressed', String(heard));
    });
    this.draw();
    if (playing && !this.ticking) { this.ticking = true; requestAnimationFrame(() => this.tick()); }
  }

  tick() {
    this.ticking = false;
    if (!this.deck?.playing) return;
    this.draw();
    this.ticking = true;
    requestAnimationFrame(() => this.tick());
  }

  draw() {
    const { time, duration } = this.deck;
    this.position.value = time;
    this.time.textContent = `${clock(time)} / ${lengthText(duration)}`;
    this.cards?.forEach((card, place) => {
      const own = this.deck.sounds[this.order[place]].buffer?.duration;
      find('.wave', card).style.setProperty('--at', `${own ? Math.min(100, time / own * 100) : 0}%`);
    });
  }

  busy(busy) { this.dialog.classList.toggle('busy', busy); }
  say(text) { this.sentence.textContent = text ?? ''; }
  leave() { this.deck?.stop(); this.deck = null; this.dialog.remove(); find('.compare', this.row)?.focus(); }
}

document.addEventListener('click', (event) => {
  if (!event.target.closest('.compare')) return;
  if (player.voice?.playing) player.toggle();
  new Panel(event.target.closest('.track'));
});
