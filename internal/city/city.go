// Package city keeps what the city is made of: divisions, grids, places, units,
// staff and the working calendar, as rows and as the index that finds places in
// sentences.
//
// # Imports
//
// [Importer] takes files. The strict parsers stand in packages people and
// scheduler; here their result is written, all of it in one transaction or
// nothing. What is in the file replaces what has the same code, name or slug;
// what is not in it stays. Run again, the same file changes nothing and its
// report says so.
//
// # The gazetteer
//
// [Places] holds the index of all divisions, grids and places. It is immutable
// and built anew when places change: an import or an accepted alias sends
// [TopicPlaces] from inside its transaction, so every process hears of it at
// the commit and none before. Between the two an old index answers; a place
// that it does not know goes to the dispatcher, as any unknown place does.
//
// # Aliases
//
// People call places by names that no register has. Who handles a ticket there
// proposes the name, a dispatcher accepts it, from then on it is found.
//
// # Failure
//
// A bad file is a *people.ImportError or scheduler.RowErrors with every bad row,
// its line and the reason. While the database is away the last index stays.
package city

// TopicPlaces is woken on the bus when divisions, grids, places or accepted
// aliases have changed (queries/place.sql, WakePlaces).
const TopicPlaces = "places"
