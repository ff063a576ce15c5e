// A short message service centre on npm smpp, as its author shipped it. It reads
// orders and writes what happens, one JSON object a line, until the standard
// input ends.
//
//   node serve.js PORT SYSTEM_ID PASSWORD [quiet]
//
// quiet says nothing of single texts: it counts them, and writes only those that
// begin with "!", which are urgent, and the numbers whose texts came out of order.
'use strict';

const smpp = require('smpp');
const readline = require('readline');

const [port, systemID, password, mode] = process.argv.slice(2);
const quiet = mode === 'quiet';
const say = (object) => process.stdout.write(JSON.stringify(object) + '\n');

let receiver = null; // the session that texts of users go to
let mute = 0; // so many submits are taken and not answered
let next = 0;
let count = 0;
let disorder = 0;
const latest = new Map();
const waiting = []; // texts of users that nobody took yet
let asking = false;

const server = smpp.createServer((session) => {
  session.on('error', () => session.destroy());
  session.on('close', () => { if (receiver === session) receiver = null; });
  const bind = (pdu) => {
    if (pdu.system_id !== systemID || pdu.password !== password) {
      session.send(pdu.response({ command_status: smpp.ESME_RBINDFAIL }));
      session.close();
      return;
    }
    session.send(pdu.response({ system_id: 'node' }));
    if (pdu.command === 'bind_transceiver') {
      receiver = session;
      say({ event: 'bound' });
      deliver();
    }
  };
  session.on('bind_transceiver', bind);
  session.on('bind_transmitter', bind);
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('query_sm', (pdu) => session.send(pdu.response(
    states.has(pdu.message_id) ? { message_id: pdu.message_id, message_state: states.get(pdu.message_id) } : { command_status: smpp.ESME_RQUERYFAIL })));
  session.on('submit_sm', (pdu) => submit(session, pdu));
});

const states = new Map();

function submit(session, pdu) {
  const id = `N${process.pid}-${++next}`;
  const body = pdu.short_message && pdu.short_message.message !== undefined ? pdu.short_message : { message: '' };
  let text = body.message;
  if (pdu.message_payload) text = pdu.message_payload.message || pdu.message_payload;
  count++;
  if (quiet) {
    seen(pdu, String(text));
  } else {
    states.set(id, 1);
    say({
      event: 'submit', id, from: pdu.source_addr, to: pdu.destination_addr, text: String(text), coding: pdu.data_coding,
      udh: body.udh ? Buffer.concat(body.udh).toString('hex') : '', registered: pdu.registered_delivery, answered: mute === 0,
    });
  }
  if (mute > 0) {
    mute--;
    return;
  }
  session.send(pdu.response({ message_id: id }));
}

// seen checks the order of a number's texts, which end with their count.
function seen(pdu, text) {
  if (text.startsWith('!')) say({ event: 'urgent', text, at: Date.now() });
  const number = /(\d+)$/.exec(text);
  if (number === null) return;
  const n = Number(number[1]);
  if (n <= (latest.get(pdu.destination_addr) ?? -1)) disorder++;
  latest.set(pdu.destination_addr, n);
}

// deliver hands over what waits, one behind another, again until it is taken.
function deliver() {
  if (asking || receiver === null || waiting.length === 0) return;
  asking = true;
  const session = receiver;
  const one = waiting[0];
  const done = (taken) => {
    session.removeListener('close', lost);
    asking = false;
    if (taken) {
      waiting.shift();
      say({ event: 'taken', name: one.name });
      deliver();
    } else {
      setTimeout(deliver, 50);
    }
  };
  const lost = () => done(false);
  session.once('close', lost);
  const parameters = { ...one.parameters };
  for (const key of ['udh', 'payload']) delete parameters[key];
  if (one.parameters.udh) {
    parameters.short_message = { udh: Buffer.from(one.parameters.udh, 'hex'), message: one.parameters.short_message };
  }
  if (one.parameters.payload) parameters.message_payload = one.parameters.payload;
  session.deliver_sm(parameters, (answer) => done(answer.command_status === 0));
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  switch (order.do) {
    case 'deliver':
      waiting.push(order);
      deliver();
      break;
    case 'state':
      states.set(order.id, order.state);
      break;
    case 'mute':
      mute = order.count;
      break;
    case 'cut':
      for (const session of [...server.sessions]) session.destroy();
      break;
    case 'count':
      say({ event: 'count', count, disorder });
      break;
  }
}).on('close', () => process.exit(0));

server.listen(Number(port), '127.0.0.1', () => say({ event: 'ready', port: server.address().port }));
