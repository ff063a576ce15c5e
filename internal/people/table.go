package people

import "iter"

// Table is a CSV file with a header, read whole: the form of every import.
// Columns beyond the known ones and bytes that are no UTF-8 are refused.
type Table struct{ t *table }

// Row is one line of a Table.
type Row struct{ r row }

// ReadTable reads the file. What is wrong with it as a whole is an
// *ImportError; what is wrong with a line is collected until Err.
func ReadTable(f File, required, optional []string) (Table, error) {
	t, err := readTable(f.Name, f.Body, required, optional)
	return Table{t}, err
}

// Rows yields the lines in order.
func (t Table) Rows() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		for _, r := range t.t.rows {
			if !yield(Row{r}) {
				return
			}
		}
	}
}

// Fail notes why the row cannot be imported.
func (t Table) Fail(r Row, reason string) { t.t.fail(r.r.line, reason) }

// Err returns an *ImportError with the bad rows in the order of the file, or
// nil.
func (t Table) Err() error { return t.t.err() }

// Get returns the trimmed value of a column, "" when the file lacks it.
func (r Row) Get(column string) string { return r.r.get(column) }

// Line is where the row stands in the file, counted from 1.
func (r Row) Line() int { return r.r.line }
