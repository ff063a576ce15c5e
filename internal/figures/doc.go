// Package figures turns what happened to tickets into numbers: rates with what
// they are made of, stars inside a band, the worry index 烦恼指数.
//
// # From events to rows
//
// Fold reads the trail of one ticket and gives its rows: what it adds to which
// month, unit, area and matter, and from when on. All else is addition. A row
// holds the ticket as it stands after its last event, so a redo, a relapse, an
// exclusion or an un-merge that comes later moves a ticket to another month by
// giving it other rows.
//
// # The month of a ticket
//
// A ticket counts once, in the month of its completion or of its final deadline,
// whichever comes first (reference 1.6: tickets whose completion or final
// deadline falls in the month; what is still within its limit carries over).
// Done early it counts where it was done; not done in time it counts, overdue,
// where it should have been done, and being done later does not move it. A redo
// sets a new deadline and so a new month. What is taken out (answered, rejected,
// referred, withdrawn) counts, as taken out, in the month in which it ended.
//
// # Whose figure
//
// The ticket counts for the desk that has the lead last; a desk of a grid counts
// for its township. A desk that had the ticket before has a row of its own, which
// says how often it was given a lead and whether it objected; a supervision
// counts for the desk at which it was aimed.
//
// # Not for pay
//
// Every figure is for better service. None may be tied to anybody's pay
// (国办函〔2025〕66号: 不片面追求排名); the texts that show stars say so.
//
// The package does no I/O and has no clock. Weights, bands and thresholds are
// configs/policies/figures.yaml, with their sources.
package figures
