//go:build !race

package tally_test

// howMany tickets the figures are proved on (Done 3 of issue 4).
const howMany = 20_000
