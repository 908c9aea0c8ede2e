// The operator's console: what the agent says goes to the parts, what the parts ask goes to the agent.

import { clock, el, icon, timeOfDay } from '/shared/dom.js';
import { Link } from '/shared/link.js';
import './ended.js';
import './header.js';
import './invite.js';
import { Kept } from './kept.js';
import { Ladder } from './ladder.js';
import './mode-panel.js';
import './modes.js';
import './session.js';
import { SETTINGS } from './settings-words.js';
import { AGENT, CONFIRM, CONTROL, DISMISS, ENDED, IDLE, PARTY, REFUSED_SENTENCE, TURN, WAY, modeName } from './words.js';

const part = name => document.querySelector(name);
const link = new Link();
const [ladder, kept] = [new Ladder(), new Kept()];
const [who, modes, path, notice, invite, session, ended] =
  ['al-who', 'al-modes', 'al-path', 'al-notice', 'al-invite', 'al-session', 'al-ended'].map(part);
const [endButton, dialog] = [part('#end'), part('#confirm')];

part('#brand').replaceChildren(icon('mark'), el('span', { textContent: 'Alongside' }));
part('#confirm-text').textContent = CONFIRM;

/** Shows one of `invite`, `session` and `ended`. */
function show(view) {
  document.body.dataset.view = view;
  invite.hidden = view !== 'invite';
  ended.hidden = view !== 'ended';
  for (const element of [who, modes, path, session, endButton]) element.hidden = view !== 'session';
}

/** Says something that needs attention, until it is said that it does not. */
function say(text, name = 'news') {
  notice.querySelector(`[data-name="${name}"]`)?.remove();
  if (!text) return;
  const dismiss = el('button', { type: 'button', 'aria-label': DISMISS, title: DISMISS, className: 'dismiss' }, icon('cross'));
  dismiss.onclick = () => say(null, name);
  notice.append(el('div', { 'data-name': name }, icon('alert'), el('p', { textContent: text }), ...(name === 'news' ? [dismiss] : [])));
}

async function ask(command) {
  const answer = await link.send(command);
  if (answer.event === 'error') say(`Not done: ${answer.message}.`);
  else say(null);
  return answer;
}

invite.ask = ask;
const askFor = mode => ask({ do: 'mode', mode });
session.connect(command => link.send(command), askFor);
modes.ask = askFor;
session.ladder = modes.ladder = ladder;

const modePanel = el('al-mode-panel', { hidden: true });
session.querySelector('.side').prepend(modePanel);
modePanel.send = message => link.send({ do: 'console', message });

endButton.addEventListener('click', () => dialog.showModal());
dialog.addEventListener('close', () => {
  if (dialog.returnValue === 'end') ask({ do: 'end' });
  dialog.returnValue = '';
});
addEventListener('keydown', event => {
  if (!event.ctrlKey || !event.altKey || session.hidden) return;
  if (event.key === 'q') endButton.click();
  else if (!modes.press(event.key)) return;
  event.preventDefault();
});

let began = null;
let way = null;
let silentSince = null;
let linkState = 'ok';
let idling = 0;
const log = (message, text, level = '') => session.log(message.t, text, level);

link
  .on('open', () => {
    say(null, 'agent');
    // Everything that still holds is told again.
    began = way = silentSince = null;
    linkState = 'ok';
    ladder.begin();
    for (const element of [invite, session, modes, path]) element.reset();
    show('invite');
  })
  .on('refused', () => say(AGENT.refused, 'agent'))
  .on('lost', () => say(AGENT.lost, 'agent'))
  .on('over', () => {
    say(AGENT.over, 'agent');
    ended.over();
    invite.ready(false);
  })
  .on('ready', () => invite.ready(true))
  .on('code', message => {
    invite.code(message);
    show('invite');
  })
  .on('connected', message => {
    began = message.t;
    way = silentSince = null;
    linkState = 'ok';
    kept.begin(message.session);
    ladder.begin(kept);
    session.reset();
    session.timeline.begin(kept);
    modes.reset();
    modePanel.reset();
    who.device(message);
    session.device(message, invite.ticket);
    show('session');
    log(message, `Connected to ${message.serial}`);
    session.focusPanel();
  })
  .on('modes', message => {
    modes.offered(message.modes);
    modePanel.offered(message.modes);
  })
  .on('console', ({ message, t }) => {
    modePanel.hear(message);
    // What of the operator's hand did not reach the panel.
    if (ladder.of('operator-control').isOn && CONTROL[message?.input]) log({ t: t ?? Date.now() }, CONTROL[message.input], 'warn');
  })
  .on('mode', message => {
    const { turn } = ladder.step(message);
    modePanel.mode(message);
    if (message.mode === 'engineer-config' && message.state === 'ended') modes.asleep = false;
    modes.show();
    session.mode(message);
    const name = modeName(message.mode);
    if (turn === 'refused') {
      const sentence = REFUSED_SENTENCE[message.reason]?.(name) ?? `${name} was refused.`;
      say(sentence);
      log(message, sentence, 'warn');
    } else if (TURN[turn]) log(message, TURN[turn](name), turn === 'paused' ? 'warn' : '');
  })
  .on('surface', message => {
    modes.asleep = true;
    session.surface(message);
    log(message, SETTINGS.surface[message.surface] ?? SETTINGS.asleep);
  })
  .on('settings-schema', message => session.settings.schema(message))
  .on('settings', message => session.settings.settings(message))
  .on('settings-result', message => session.settings.result(message))
  .on('path', message => {
    path.path(message);
    session.path(message);
    if (began !== null && message.kind !== way) log(message, WAY.kind(message.kind), message.kind === 'none' ? 'warn' : '');
    way = message.kind;
  })
  .on('latency', message => session.latency(message))
  .on('link', message => {
    path.link(message);
    session.link(message);
    const isOk = message.state === 'ok';
    if (isOk && silentSince !== null) log(message, WAY.back(Math.round((message.t - silentSince) / 1000)));
    else if (!isOk && message.state !== linkState) log(message, WAY[message.state], 'warn');
    if (isOk) silentSince = null;
    else silentSince ??= message.t - message.silent_ms;
    linkState = message.state;
  })
  .on('panel', message => session.panel(message))
  .on('batch', async batch => link.painted(await session.paint(batch)))
  .on('idle', ({ ends_in_s }) => {
    clearInterval(idling);
    say(null, 'idle');
    if (ends_in_s === 0) return;
    const stay = el('button', { type: 'button', textContent: IDLE.stay });
    const left = el('span', { role: 'timer', 'aria-live': 'off' });
    const ends = Date.now() + ends_in_s * 1000;
    const tick = () => { left.textContent = clock((ends - Date.now()) / 1000); };
    stay.onclick = () => {
      clearInterval(idling);
      say(null, 'idle');
      ask({ do: 'still-here' });
    };
    say(IDLE.says, 'idle');
    notice.querySelector('[data-name="idle"]').append(left, stay);
    tick();
    idling = setInterval(tick, 500);
  })
  .on('error', message => {
    if (!invite.problem(message)) say(`${message.message[0].toUpperCase()}${message.message.slice(1)}.`);
    session.settings.unreadable(message);
    if (!session.hidden) log(message, message.message, 'warn');
  })
  .on('ended', message => {
    if (dialog.open) dialog.close('');
    clearInterval(idling);
    for (const name of ['news', 'idle']) say(null, name);
    if (began === null && invite.problem({ code: message.reason })) return;
    const facts = {
      Device: who.text,
      'Ended by': PARTY[message.by] ?? message.by,
      At: timeOfDay(message.t),
      Lasted: began === null ? null : message.t - began,
    };
    const sentence = ENDED[message.reason] ?? `Reason: ${message.reason}.`;
    log(message, sentence);
    ended.told(sentence, facts, session.timeline.copy());
    show('ended');
  });

ended.again = () => {
  invite.reset();
  invite.ready(true);
  show('invite');
};

link.open();
