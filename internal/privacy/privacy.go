// Package privacy holds what keeps personal data closed: the keys, sealing,
// blind search, signed buttons, masks, harmless photos, secrets and the log
// handler.
//
// # Keys
//
// One 32-byte master secret is stretched by HKDF-SHA256 (RFC 5869) into
// separate keys for sealing, blind indexes, buttons and sessions. A process
// may hold several masters at once: the first writes, all of them read. That
// is how a key is changed: put the new master in front, restart, let the
// rotation re-seal and re-index every row, take the old one out.
//
// # What each key protects against
//
// A stolen dump shows no words, phones or addresses (sealed), and does not
// tell whether a known phone is in it (blind index). Keyed 2-grams do leak how
// often a pair of characters occurs to somebody who has the dump and knows the
// language; that is the price of search in the database, and why only words
// that staff must find are indexed. Nobody can make or alter a button.
//
// # States, clocks, failure
//
// Nothing here keeps state or reads a clock: time is an argument. Opening and
// verifying fail closed with an error value to test for; nothing panics on
// hostile input, and decoders are fuzzed.
package privacy
