// Finding, filtering and sorting: rows are hidden and reordered, never made anew.

const body = find('.tracks > tbody');
const rows = all('.track', body);
const order = new Map(rows.map((row, number) => [row, number]));
const texts = new Map();
const heads = all('.tracks > thead [data-sort]');

const textOf = (row) => {
  if (!texts.has(row)) {
    const parts = all('.name, .prompt, .tags, .lyrics, .manifest', row).map((part) => part.textContent);
    texts.set(row, parts.concat(row.dataset.tags ?? '').join('\n').toLocaleLowerCase());
  }
  return texts.get(row);
};
const has = (list, word) => (list ?? '').split('\n').includes(word);
const chosenIn = (id) => find(id)?.value ?? '';

function filter() {
  const words = find('#find').value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const status = chosenIn('#f-status'), tag = chosenIn('#f-tag'), warning = chosenIn('#f-warning'), sound = chosenIn('#f-placeholder');
  let shown = 0;
  for (const row of body.children) {
    const data = row.dataset;
    const fits = (!status || data.status === status)
      && (!tag || has(data.tags, tag))
      && (!warning || (warning === '*' ? 'warnings' in data : has(data.warnings, warning)))
      && (!sound || ('placeholder' in data) === (sound === 'placeholder'))
      && words.every((word) => textOf(row).includes(word));
    row.hidden = !fits;
    shown += fits;
  }
  const whole = body.children.length;
  find('#shown').textContent = shown === whole ? `${whole.toLocaleString('en')} tracks` : `${shown.toLocaleString('en')} of ${whole.toLocaleString('en')} tracks`;
  find('.none').hidden = shown > 0;
}

const valueOf = (row, key) => {
  if (key === 'name') return row.dataset.name;
  const value = key === 'status' ? row.dataset.rank : row.dataset[key];
  return value === undefined ? null : Number(value);
};

function compare(one, other, key) {
  const a = valueOf(one, key), b = valueOf(other, key);
  if (a === null || b === null) return (a === null) - (b === null);
  return key === 'name' ? a.localeCompare(b, 'en', { numeric: true }) : a - b;
}

function sort(key, direction) {
  const known = key ? (row) => valueOf(row, key) !== null : () => true;
  const sorted = [...body.children].sort((one, other) => {
    const both = key ? compare(one, other, key) * (known(one) && known(other) ? direction : 1) : 0;
    return both || order.get(one) - order.get(other);
  });
  body.append(...sorted);
  for (const head of heads) {
    if (head.dataset.sort === key) head.setAttribute('aria-sort', direction > 0 ? 'ascending' : 'descending');
    else head.removeAttribute('aria-sort');
  }
}

for (const head of heads) {
  find('button', head).addEventListener('click', () => {
    const was = head.getAttribute('aria-sort');
    if (was === 'descending') { sort('', 1); find('#sort').value = ''; return; }
    find('#sort').value = head.dataset.sort;
    sort(head.dataset.sort, was === 'ascending' ? -1 : 1);
  });
}
find('#sort').addEventListener('change', (event) => sort(event.target.value, 1));
for (const field of all('#find, #f-status, #f-tag, #f-warning, #f-placeholder')) field.addEventListener('input', filter);
find('.filters').addEventListener('submit', (event) => event.preventDefault());
find('#reset').addEventListener('click', () => { find('.filters').reset(); filter(); sort('', 1); });
if (location.hash.startsWith('#t')) document.getElementById(location.hash.slice(1))?.scrollIntoView();
