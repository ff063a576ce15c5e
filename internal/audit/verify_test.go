
func TestReportInWords(t *testing.T) {
	r := Report{Sealed: 5, Unsealed: 2, Faults: 1, First: &Fault{Position: 3, RecordID: 7, Reason: "altered"}, Gaps: []Gap{{From: 2, To: 2}}}
	want := "5 records chained, 2 not chained yet; positions 2 to 2 were taken out; 1 faults, the first: record 7 at position 3: altered"
	if r.String() != want {
		t.Errorf("got  %s\nwant %s", r, want)
	}
}
