package figures

import (
	"cmp"
	"slices"
	"time"
)

// WorryInput is what the worry index is made of.
type WorryInput struct {
	// Cells are the sums by area and worry, of every area of the city.
	Cells map[string]map[string]Sums
	// Areas are those that are shown.
	Areas []string
	// Residents are the inhabitants by area.
	Residents map[string]int
}

// WorryCell is one area's tickets about one worry.
type WorryCell struct {
	N int
	// Hidden: so few that a person might be known by them, or so that such a
	// cell cannot be worked out from its neighbours.
	Hidden bool
	// Index is 100 where the area has as much of the worry, for its
	// inhabitants, as the city; 0 where that is unknown.
	Index int
}

// WorryTable is the worry index 烦恼指数 of a month (reference civic-tickets 1.5):
// 100·Σ weight·(tickets per 1,000 residents) / (the same of the city).
type WorryTable struct {
	Worries []string // columns
	Areas   []string // rows
	Cells   [][]WorryCell
	// Total is each area over all worries.
	Total []WorryCell
	// City is the city's tickets by worry.
	City []int
}

// Worries makes the table.
func (p Policy) Worries(in WorryInput) WorryTable {
	w := WorryTable{Worries: p.Worry.Names, Areas: in.Areas, City: make([]int, len(p.Worry.Names))}
	rates := make([]float64, len(w.Worries)) // of the city, by worry
	people := 0
	for area, by := range in.Cells {
		people += in.Residents[area]
		for k, worry := range w.Worries {
			w.City[k] += int(by[worry][Filed])
			rates[k] += p.weigh(by[worry])
		}
	}
	all := 0.0
	for _, r := range rates {
		all += r
	}
	for _, area := range in.Areas {
		row := make([]WorryCell, len(w.Worries))
		var sum Sums
		for k, worry := range w.Worries {
			s := in.Cells[area][worry]
			sum.Add(s)
			row[k] = WorryCell{N: int(s[Filed]), Index: index(p.weigh(s), in.Residents[area], rates[k], people)}
		}
		hide(row, p.Worry.MinN)
		w.Cells = append(w.Cells, row)
		total := WorryCell{N: int(sum[Filed]), Index: index(p.weigh(sum), in.Residents[area], all, people)}
		total.Hidden = total.N < p.Worry.MinN
		w.Total = append(w.Total, total)
	}
	return w
}

// weigh is what tickets weigh by how they stand.
func (p Policy) weigh(s Sums) float64 {
	plain := s[Filed] - s[FiledRedone] - s[FiledOverdue] - s[FiledContent]
	w := p.Worry
	return float64(plain)*w.Open + float64(s[FiledRedone])*w.Redo + float64(s[FiledOverdue])*w.Overdue + float64(s[FiledContent])*w.Content
}

func index(weight float64, people int, cityWeight float64, cityPeople int) int {
	if people == 0 || cityPeople == 0 || cityWeight == 0 {
		return 0
	}
	return int(100*(weight/float64(people))/(cityWeight/float64(cityPeople)) + 0.5)
}

// hide hides cells with fewer than least tickets; nothing is nobody, but one
// hidden cell alone could be worked out from the total, so that the smallest of
// the others goes with it.
func hide(row []WorryCell, least int) {
	hidden := 0
	for i := range row {
		if row[i].N > 0 && row[i].N < least {
			row[i].Hidden = true
			hidden++
		}
	}
	if hidden != 1 {
		return
	}
	next := -1
	for i := range row {
		if !row[i].Hidden && row[i].N > 0 && (next < 0 || row[i].N < row[next].N) {
			next = i
		}
	}
	if next >= 0 {
		row[next].Hidden = true
	}
}

// Given is one rating: by which address, when, of which ticket.
type Given struct {
	By     int64
	At     time.Time
	Ticket int64
}

// Bursts returns the ratings that one address gave of at least several tickets
// within a time, in the order of tickets.
func Bursts(list []Given, several int, within time.Duration) []Given {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Given) int {
		return cmp.Or(cmp.Compare(a.By, b.By), a.At.Compare(b.At), cmp.Compare(a.Ticket, b.Ticket))
	})
	flagged := map[int64]Given{}
	for i := range list {
		end := i
		for end < len(list) && list[end].By == list[i].By && list[end].At.Sub(list[i].At) <= within {
			end++
		}
		if end-i >= several {
			for _, g := range list[i:end] {
				flagged[g.Ticket] = g
			}
		}
	}
	out := make([]Given, 0, len(flagged))
	for _, g := range flagged {
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b Given) int { return cmp.Compare(a.Ticket, b.Ticket) })
	return out
}
