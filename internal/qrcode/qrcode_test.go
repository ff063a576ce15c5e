package qrcode

import (
	"bytes"
	"image/png"
	"strings"
	"testing"
)

const address = "https://login.weixin.qq.com/l/oZ_abcdefghij=="

// The picture and the print show the same modules, and both have what a scanner
// looks for first: a light border and a finder in three corners.
func TestBothShowTheSame(t *testing.T) {
	var picture, printed bytes.Buffer
	if err := PNG(&picture, address, 1); err != nil {
		t.Fatal(err)
	}
	if err := Print(&printed, address); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&picture)
	if err != nil {
		t.Fatal(err)
	}
	side := img.Bounds().Dx()
	dark := func(x, y int) bool { r, _, _, _ := img.At(x, y).RGBA(); return r == 0 }
	lines := strings.Split(strings.TrimSuffix(printed.String(), "\n"), "\n")
	if len(lines) != (side+1)/2 {
		t.Fatalf("%d lines for %d rows", len(lines), side)
	}
	for n, line := range lines {
		line = strings.TrimSuffix(strings.TrimPrefix(line, blackOnWhite), plain)
		for x, r := range []rune(line) {
			upper, lower := r == '█' || r == '▀', r == '█' || r == '▄'
			if upper != dark(x, 2*n) || 2*n+1 < side && lower != dark(x, 2*n+1) {
				t.Fatalf("line %d, column %d shows %q", n, x, r)
			}
		}
	}
	for i := range side {
		if dark(i, quiet-1) || dark(quiet-1, i) || dark(i, side-quiet) || dark(side-quiet, i) {
			t.Fatal("the border is not light")
		}
	}
	finder := []string{"#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######"}
	for _, corner := range [][2]int{{quiet, quiet}, {side - quiet - 7, quiet}, {quiet, side - quiet - 7}} {
		for y, row := range finder {
			for x, want := range row {
				if dark(corner[0]+x, corner[1]+y) != (want == '#') {
					t.Fatalf("no finder at %v", corner)
				}
			}
		}
	}
}

// More than a code holds is an error, and the error does not repeat it.
func TestTooLong(t *testing.T) {
	err := PNG(&bytes.Buffer{}, strings.Repeat("secret", 1000), 4)
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
	if Print(&bytes.Buffer{}, strings.Repeat("x", 4000)) == nil {
		t.Error("printed all the same")
	}
}
