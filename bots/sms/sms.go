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
// # State, clocks, failure
//
// Nothing here keeps state, waits, or knows the time. What fails is an *Error
// of package bots, or an error that shows no number.
package sms
