package chart_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"shaoying/configs"
	"shaoying/internal/chart"
)

func policy(t testing.TB) chart.Policy {
	t.Helper()
	body, err := configs.Read("policies/charts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := chart.ParsePolicy("charts.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// painter needs the font that scripts/need installs. In CI its absence fails.
func painter(t testing.TB) *chart.Painter {
	t.Helper()
	p, err := chart.Find(policy(t))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no font to draw with; scripts/need cjk-font installs fonts-wqy-microhei")
	}
	return p
}

func percent(list ...float64) (all []*float64) {
	for _, v := range list {
		if v < 0 {
			all = append(all, nil)
			continue
		}
		all = append(all, &v)
	}
	return all
}

func bars() chart.Bars {
	return chart.Bars{
		Title: "萍乡市 三率 2026年2月", Note: "仅用于改进服务，不与任何人待遇挂钩。",
		Labels: []string{"9月", "10月", "11月", "12月", "1月", "2月"},
		Series: []chart.Series{
			{"响应率", percent(96.4, 97.1, 95, 98.2, 99, 98.8)},
			{"解决率（居民说）", percent(81, 84.5, -1, 88, 90.2, 91)},
			{"满意率", percent(85, 83, 88, 91, 92.5, 100)},
		},
	}
}

// The picture is one, has ink where the letters of the title are, and is small
// enough for every network.
func TestPicture(t *testing.T) {
	p := painter(t)
	body, err := p.PNG(bars())
	if err != nil {
		t.Fatal(err)
	}
	if to := os.Getenv("SHAOYING_TEST_CHART"); to != "" {
		if err := os.WriteFile(to, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	img, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds().Dx() != 1000 || img.Bounds().Dy() != 640 || len(body) > 200<<10 {
		t.Errorf("%v, %d bytes", img.Bounds(), len(body))
	}
	other := bars()
	other.Title = "萍乡市 三率 2026年3月"
	again, err := p.PNG(other)
	if err != nil {
		t.Fatal(err)
	}
	// A font without the letters would draw one box like another.
	second, err := png.Decode(bytes.NewReader(again))
	if err != nil {
		t.Fatal(err)
	}
	if n := differs(img, second, image.Rect(0, 0, 500, 60)); n < 5 {
		t.Errorf("another title differs in %d pixels", n)
	}
}

func differs(a, b image.Image, in image.Rectangle) (n int) {
	for x := in.Min.X; x < in.Max.X; x++ {
		for y := in.Min.Y; y < in.Max.Y; y++ {
			if a.At(x, y) != b.At(x, y) {
				n++
			}
		}
	}
	return n
}

func TestValuesMustFitLabels(t *testing.T) {
	b := bars()
	b.Series[0].Values = b.Series[0].Values[1:]
	if _, err := painter(t).PNG(b); err == nil {
		t.Error("five values for six labels were drawn")
	}
}

// A file that is called like a font and is none, and one without Chinese letters,
// are no fonts.
func TestWhatIsNoFont(t *testing.T) {
	p := policy(t)
	dir := t.TempDir()
	p.Folders = []string{dir, filepath.Join(dir, "not there")}
	if _, err := chart.Find(p); !errors.Is(err, chart.ErrNoFont) {
		t.Errorf("in an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "SimHei.ttf"), []byte("no font"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := chart.Find(p); !errors.Is(err, chart.ErrNoFont) {
		t.Errorf("what is no font: %v", err)
	}
	for name, body := range map[string]string{"nothing": "{}", "no fonts": "folders: [/x]\nwidth: 1\nheight: 1\nmonths: 1\nsource: x"} {
		if _, err := chart.ParsePolicy("x.yaml", []byte(body)); err == nil {
			t.Errorf("%s is a policy", name)
		}
	}
}
