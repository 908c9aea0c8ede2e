// The operator's console: what the agent says goes to the parts, what the parts ask goes to the agent.

import { el, icon, timeOfDay } from '/shared/dom.js';
import { Link } from '/shared/link.js';
import './invite.js';
import './mode-panel.js';
import './session.js';
import { AGENT, CONFIRM, DISMISS, ENDED, PARTY, REFUSED_SENTENCE, modeName } from './words.js';

const part = name => document.querySelector(name);
const link = new Link();
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
session.connect(link, command => link.send(command));
modes.ask = mode => ask({ do: 'mode', mode });

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
const log = (message, text, level = '') => session.log(message.t, text, level);

link
  .on('open', () => {
    say(null, 'agent');
    // Everything that still holds is told again.
    began = null;
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
    session.reset();
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
  .on('console', ({ message }) => modePanel.hear(message))
  .on('mode', message => {
    modePanel.mode(message);
    modes.mode(message);
    session.mode(message);
    const name = modeName(message.mode);
    if (message.state === 'refused') {
      const sentence = REFUSED_SENTENCE[message.reason]?.(name) ?? `${name} was refused.`;
      say(sentence);
      log(message, sentence, 'warn');
    } else log(message, { asked: `Asked for ${name}`, active: `${name} is on`, paused: `${name} is paused`, ended: `${name} is off` }[message.state]);
  })
  .on('path', message => {
    path.path(message);
    session.path(message);
  })
  .on('latency', message => session.latency(message))
  .on('link', message => {
    path.link(message);
    session.link(message);
  })
  .on('panel', message => session.panel(message))
  .on('batch', async batch => link.painted(await session.paint(batch)))
  .on('idle', ({ ends_in_s }) => {
    say(null, 'idle');
    const stay = el('button', { type: 'button', textContent: 'I am still here' });
    stay.onclick = () => {
      say(null, 'idle');
      ask({ do: 'still-here' });
    };
    say(`Nobody has done anything for a while. The session ends in ${ends_in_s} s.`, 'idle');
    notice.querySelector('[data-name="idle"]').append(stay);
  })
  .on('error', message => {
    if (!invite.problem(message)) say(`${message.message[0].toUpperCase()}${message.message.slice(1)}.`);
    if (!session.hidden) log(message, message.message, 'warn');
  })
  .on('ended', message => {
    if (dialog.open) dialog.close('');
    for (const name of ['news', 'idle']) say(null, name);
    if (began === null && invite.problem({ code: message.reason })) return;
    const facts = {
      Device: who.text,
      'Ended by': PARTY[message.by] ?? message.by,
      At: timeOfDay(message.t),
      Lasted: began === null ? null : message.t - began,
    };
    ended.told(ENDED[message.reason] ?? `Reason: ${message.reason}.`, facts);
    show('ended');
  });

ended.again = () => {
  invite.reset();
  invite.ready(true);
  show('invite');
};

link.open();
