// Serves telegram-test-api, as its author shipped it, on the port that is given,
// until the standard input ends.
'use strict';

const TelegramServer = require('telegram-test-api');

const server = new TelegramServer({ host: '127.0.0.1', port: Number(process.argv[2]), storeTimeout: 3600 });
server.start().then(() => {
  console.log('ready');
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
});
