// Package words understands what residents type: answers to a question, words
// that work anywhere, the dialogue that a sentence asks for, and danger.
//
// # How
//
// Every text is first normalised (Normalize): one width, one case, simplified
// characters, no outer punctuation. Chinese has no spaces, so nothing here
// splits a text into words: listed words are looked for inside the text,
// longest first, and a longer one covers the shorter ones in it (不满意 covers
// 满意).
//
// # Negation wins
//
// A word found inside an answer counts only if nothing before it in its clause
// takes it back. A negator right before it, also over bridging words (不太满意,
// 没有人来解决), turns it round: the opposite option is taken where one is
// offered, else none. A negator farther away in the same clause makes it
// doubtful, and a doubtful word is not an answer. So a wrong "yes" costs a lie
// about a resident, a missed "yes" costs one more question.
//
// # Data and failure
//
// The words themselves are data: configs/words.yaml (Lexicon) and
// configs/safety.yaml (Safety), decoded strictly; a bad file is an error with
// file and line when it is parsed. After that nothing here fails, does I/O, keeps
// state or reads a clock: a Lexicon and a Safety may be used by any number of
// goroutines. Sentences that a rule was made for stand in testdata.
package words
