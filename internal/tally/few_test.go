//go:build race

package tally_test

// howMany tickets are enough where only races are looked for.
const howMany = 1_500
