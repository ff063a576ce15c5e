// Package sms is what the carriers of short messages share: how a text becomes
// parts, how a phone number is written and hidden, what stands behind our own
// number, and how a call or a push over HTTP is read. It is no channel itself.
//
// # Text
//
// A text goes out in the GSM-7 default alphabet where all of it can be written
// so, else in UCS-2 ([Split]). One part holds 160 septets or 70 UTF-16 units;
// of several each holds 153 or 67, because 6 octets tell the parts apart (3GPP
// TS 23.038 and 23.040). A part never ends inside a grapheme that fits into
// one, nor inside a surrogate pair or an escape sequence: phones that show each
// part for itself show nothing broken. The carrier's signature is paid for like
// any other text and counts.
//
// # Numbers
//
// Outside this package and its carriers a number has one form, E.164
// ([E164]), and one place, bots.Identity.Phone. Chat and user are its pseudonym
// ([Book]). Only mobile numbers of the countries that an account names are
// written to: texts to numbers that earn money by being called or written to
// are how SMS gateways are robbed.
//
// internal/people has a rule of its own for what residents type: it knows the
// mainland alone, takes full-width digits, and stands below the channels, so
// that neither may import the other. This one reads what machines write.
//
// # Calls and pushes
//
// A carrier over HTTP is a [Line] and what is its own: how a request is signed
// and written, what its codes mean ([Codes]), how its pushes read ([Push]). A
// push is served at /{name}/{token} ([Line.Hook]): most carriers sign nothing, so
// the path is what only they know. It is answered after the sink took it. Pushes
// about one person wait for one another, in the order in which they came.
//
// # State, clocks, failure
//
// Nothing here keeps state but those queues, and nothing knows the time. An
// error shows no number and no secret. A request that was written and has no
// answer is unknown and never tried again.
package sms
