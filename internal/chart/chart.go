// Package chart draws figures as a picture that fits a phone.
//
// The renderer puts letters down itself, so it needs a font file with Chinese
// letters, as TrueType outlines (it cannot read those of Noto CJK). None is carried
// along: [Find] looks in the folders of the system. Where there is none, whoever
// wants a picture gets [ErrNoFont] at start and writes a table instead.
//
// Drawing takes no clock and no state; the font is read anew for each picture, for
// there are few and it is large.
package chart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-analyze/charts"
	"github.com/golang/freetype/truetype"

	"shaoying/configs"
)

// Policy is configs/policies/charts.yaml.
type Policy struct {
	// Fonts are names of font files, the best first.
	Fonts []string `yaml:"fonts"`
	// Folders are where they are looked for, and in what lies below. ~ is the
	// home of the user.
	Folders []string `yaml:"folders"`
	// Width and Height are the size of a picture in pixels.
	Width  int `yaml:"width"`
	Height int `yaml:"height"`
	// Months is how many months a picture shows.
	Months int    `yaml:"months"`
	Source string `yaml:"source"`
}

// ParsePolicy reads a policy.
func ParsePolicy(name string, body []byte) (p Policy, err error) {
	if err := configs.Decode(name, body, &p); err != nil {
		return p, err
	}
	if len(p.Fonts) == 0 || len(p.Folders) == 0 || p.Width <= 0 || p.Height <= 0 || p.Months <= 0 || p.Source == "" {
		return p, fmt.Errorf("%s: fonts, folders, width, height, months and source are needed", name)
	}
	return p, nil
}

// ErrNoFont says that no font on this machine has Chinese letters that can be
// read.
var ErrNoFont = errors.New("no TrueType font with Chinese letters was found")

// sample are letters that a font must have: of the figures, and common ones.
const sample = "\u54cd\u5e94\u7387\u6708\u6ee1\u610f\u89e3\u51b3"

// Painter draws with one font. It is immutable and safe for use by many goroutines.
type Painter struct {
	policy Policy
	// Font is the file that was found.
	Font string
}

// Find looks for a font. The error is ErrNoFont where there is none.
func Find(p Policy) (*Painter, error) {
	found := map[string]string{} // file by name, the first that was met
	for _, folder := range p.Folders {
		if rest, home := strings.CutPrefix(folder, "~/"); home {
			dir, err := os.UserHomeDir()
			if err != nil {
				continue
			}
			folder = filepath.Join(dir, rest)
		}
		_ = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil { // a folder that is not there, or not ours to read
				return fs.SkipDir
			}
			if name := strings.ToLower(d.Name()); slices.Contains(p.Fonts, name) && found[name] == "" {
				found[name] = path
			}
			return nil
		})
	}
	for _, name := range p.Fonts {
		if path := found[name]; path != "" {
			if _, err := load(path); err == nil {
				return &Painter{p, path}, nil
			}
		}
	}
	return nil, ErrNoFont
}

// Months is how many months a picture shows.
func (p *Painter) Months() int { return p.policy.Months }

// load reads a font and checks that it has the letters.
func load(path string) (*truetype.Font, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read a font: %w", err)
	}
	font, err := truetype.Parse(body)
	if err != nil {
		return nil, fmt.Errorf("read the font %s: %w", path, err)
	}
	for _, r := range sample {
		if font.Index(r) == 0 {
			return nil, fmt.Errorf("the font %s has no %q", path, r)
		}
	}
	return font, nil
}

// Bars is a chart of shares: for each label, a bar for each series.
type Bars struct {
	// Title stands above, Note below.
	Title, Note string
	Labels      []string
	Series      []Series
}

// Series is one kind of bar. Values are percent, 0 to 100, one for each label; nil
// is unknown and shows nothing.
type Series struct {
	Name   string
	Values []*float64
}

// PNG draws bars.
func (p *Painter) PNG(b Bars) ([]byte, error) {
	font, err := load(p.Font)
	if err != nil {
		return nil, err
	}
	style := func(points float64) charts.FontStyle { return charts.FontStyle{FontSize: points, Font: font} }
	values := make([][]float64, len(b.Series))
	names := make([]string, len(b.Series))
	for i, s := range b.Series {
		if len(s.Values) != len(b.Labels) {
			return nil, fmt.Errorf("draw %s: %d values for %d labels", s.Name, len(s.Values), len(b.Labels))
		}
		names[i] = s.Name
		for _, v := range s.Values {
			if v == nil {
				values[i] = append(values[i], charts.GetNullValue())
				continue
			}
			values[i] = append(values[i], *v)
		}
	}
	shown := func(v float64) string {
		if v == charts.GetNullValue() {
			return ""
		}
		return strconv.Itoa(int(v + 0.5))
	}
	opt := charts.NewBarChartOptionWithData(values)
	opt.Padding = charts.NewBox(24, 20, 24, 16)
	opt.Title = charts.TitleOption{Text: b.Title, FontStyle: style(24)}
	opt.Legend = charts.LegendOption{SeriesNames: names, FontStyle: style(18), Offset: charts.OffsetStr{Left: charts.PositionRight, Top: "50"}}
	opt.CategoryAxis.Title, opt.CategoryAxis.TitleFontStyle = b.Note, style(14)
	opt.CategoryAxis.BoundaryGap = charts.Ptr(true) // also for a month alone
	opt.CategoryAxis.Labels, opt.CategoryAxis.LabelFontStyle = b.Labels, style(18)
	opt.ValueAxis[0].Min, opt.ValueAxis[0].Max = charts.Ptr(0.0), charts.Ptr(100.0)
	opt.ValueAxis[0].LabelCount, opt.ValueAxis[0].LabelFontStyle = 6, style(15)
	opt.ValueAxis[0].ValueFormatter = func(v float64) string { return shown(v) + "%" }
	for i := range opt.SeriesList {
		opt.SeriesList[i].Label = charts.SeriesLabel{Show: charts.Ptr(true), FontStyle: style(13), ValueFormatter: shown}
	}
	painter := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputPNG, Width: p.policy.Width, Height: p.policy.Height, Font: font})
	if err := painter.BarChart(opt); err != nil {
		return nil, fmt.Errorf("draw a chart: %w", err)
	}
	png, err := painter.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write a chart: %w", err)
	}
	return png, nil
}
