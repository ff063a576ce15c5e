package people_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shaoying/internal/people"
)

const (
	nanwai  = "360302001002" // 南外居委会, 东大街街道, 安源区
	xuanmen = "360323102206" // 桥头村委会, 宣风镇, 芦溪县
	tuanhe  = "360313001010" // 团和居委会, 峡山口街道, 湘东区
)

// gazetteer is the real divisions with a few invented places.
func gazetteer(t testing.TB) *people.Gazetteer {
	t.Helper()
	at := func(lat, lon float64) *people.LatLon { return &people.LatLon{Lat: lat, Lon: lon} }
	grids := []people.Grid{
		{Code: nanwai + "001", Village: nanwai}, {Code: nanwai + "002", Village: nanwai}, {Code: xuanmen + "001", Village: xuanmen},
	}
	places := []people.Place{
		{ID: 1, Kind: people.PlaceEstate, Name: "昌盛小区", Village: nanwai, Aliases: []string{"供电局宿舍"}, At: at(27.620, 113.850)},
		{ID: 2, Kind: people.PlaceBuilding, Name: "昌盛小区3栋", Village: nanwai, Grid: nanwai + "001", At: at(27.6201, 113.8502)},
		{ID: 3, Kind: people.PlaceBuilding, Name: "昌盛小区13栋", Village: nanwai, Grid: nanwai + "002"},
		{ID: 4, Kind: people.PlaceStop, Name: "体育馆公交站", Village: nanwai, Grid: nanwai + "002", Aliases: []string{"体育馆站台"}},
		{ID: 5, Kind: people.PlaceEstate, Name: "幸福里", Village: nanwai, Grid: nanwai + "002", At: at(27.625, 113.855)},
		{ID: 6, Kind: people.PlaceEstate, Name: "幸福里", Village: tuanhe, At: at(27.650, 113.740)},
		{ID: 7, Kind: people.PlaceGroup, Name: "桥头村3组", Village: xuanmen, Grid: xuanmen + "001"},
		{ID: 8, Kind: people.PlaceLane, Name: "八一街", Village: nanwai},
	}
	return people.NewGazetteer(divisions(t), grids, places)
}

// says writes a resolution down in one line.
func says(r people.Resolution) string {
	switch r.Status {
	case people.Found:
		return fmt.Sprintf("%s#%d", r.Match.Label(), r.Match.PlaceID)
	case people.Ambiguous:
		var labels []string
		for _, o := range r.Options {
			labels = append(labels, o.FullLabel())
		}
		return "? " + strings.Join(labels, " | ")
	}
	return strings.TrimSpace("- " + string(r.Within))
}

func TestFind(t *testing.T) {
	g := gazetteer(t)
	fourBridges := "? 湘东区排上镇桥头村 | 莲花县三板桥乡桥头村 | 上栗县东源乡桥头村 | 芦溪县宣风镇桥头村"
	for _, c := range []struct{ text, want string }{
		{"昌盛小区3栋楼下水井盖有些松动，走上去会响", "昌盛小区3栋#2"},
		{"昌盛小区三栋", "昌盛小区3栋#2"},
		{"昌盛小区3号楼", "昌盛小区3栋#2"},
		{"昌盛小区３幢", "昌盛小区3栋#2"},
		{"昌盛小区第三座", "昌盛小区3栋#2"},
		{"昌盛小区 3#楼", "昌盛小区3栋#2"},
		{"昌盛小区，3 栋", "昌盛小区3栋#2"},
		{"昌盛3栋", "昌盛小区3栋#2"},
		{"供电局宿舍3号楼的灯坏了", "昌盛小区3栋#2"},
		{"昌盛小区十三栋", "昌盛小区13栋#3"},
		{"昌盛小区13栋2单元", "昌盛小区13栋2单元#3"},
		{"昌盛小区9栋2单元没有灯", "昌盛小区9栋2单元#1"},
		{"我住在昌盛小区", "昌盛小区#1"},
		{"就是那个供电局宿舍", "昌盛小区#1"},
		{"体育馆站台离人行道太近", "体育馆公交站#4"},
		{"八一街路灯不亮", "八一街#8"},
		{"幸福里有垃圾", "? 安源区东大街街道幸福里 | 湘东区峡山口街道幸福里"},
		{"湘东区幸福里有垃圾", "幸福里#6"},
		{"南外社区幸福里", "幸福里#5"},
		{"桥头村的路坏了", fourBridges},
		{"桥头", fourBridges},
		{"就在桥头那边", "-"},
		{"宣风镇桥头村", "桥头村#0"},
		{"宣风桥头", "桥头村#0"},
		{"芦溪县的桥头村村口", "桥头村#0"},
		{"宣风桥头村三组路灯", "桥头村3组#7"},
		{"桥头村3组", "桥头村3组#7"},
		{"桥头村委会旁边", fourBridges},
		{"安源镇桥头村", fourBridges}, // contradiction: ask
		{"宣风镇上停电了", "- 360323102"},
		{"芦溪县", "- 360323"},
		{"团和社区17栋楼有大量垃圾", "团和社区17栋#0"},
		{"新村", "? 安源区白源街街道新村社区 | 湘东区峡山口街道新村社区"},
		{"光明新村", "-"},
		{"三角洲社区", "三角洲社区#0"},
		{"", "-"},
		{"没有水", "-"},
		{"13812345678", "-"},
		{"昌盛小区1", "昌盛小区#1"},
	} {
		if got := says(g.Find(c.text, nil)); got != c.want {
			t.Errorf("Find(%q)\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestFindGrid(t *testing.T) {
	g := gazetteer(t)
	for _, c := range []struct {
		text string
		grid people.GridCode
	}{
		{"昌盛小区3栋", nanwai + "001"},
		{"昌盛小区9栋", ""},              // the estate has two grids: a dispatcher decides
		{"宣风镇桥头村", xuanmen + "001"}, // the village has one
		{"南外社区", ""},
	} {
		r := g.Find(c.text, nil)
		if r.Status != people.Found || r.Match.Grid != c.grid {
			t.Errorf("%s: %s grid %q, want %q", c.text, r.Status, r.Match.Grid, c.grid)
		}
	}
}

func TestFindNear(t *testing.T) {
	g := gazetteer(t)
	for _, c := range []struct {
		name, text string
		at         people.LatLon
		want       string
	}{
		{"at a place", "", people.LatLon{Lat: 27.62011, Lon: 113.85021}, "昌盛小区3栋#2"},
		{"beside nothing", "", people.LatLon{Lat: 27.7, Lon: 113.9}, "-"},
		{"the position chooses between two of a name", "幸福里", people.LatLon{Lat: 27.651, Lon: 113.741}, "幸福里#6"},
		{"a position between them does not", "幸福里", people.LatLon{Lat: 27.6375, Lon: 113.7975}, "? 安源区东大街街道幸福里 | 湘东区峡山口街道幸福里"},
		{"words win over where the phone is", "昌盛小区13栋", people.LatLon{Lat: 27.651, Lon: 113.741}, "昌盛小区13栋#3"},
		{"words that say nothing leave the position", "这里", people.LatLon{Lat: 27.6250, Lon: 113.8551}, "幸福里#5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := says(g.Find(c.text, &c.at)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// Every village of the city is found by its township and name, as official
// papers write it and as people do.
func TestEveryVillageIsFound(t *testing.T) {
	all := divisions(t)
	name := map[people.DivisionCode]string{}
	for _, d := range all {
		name[d.Code] = d.Name
	}
	g := gazetteer(t)
	for _, d := range all {
		if d.Level != people.LevelVillage {
			continue
		}
		for _, text := range []string{name[d.Parent] + d.Name, name[d.Parent.Parent()] + name[d.Parent] + d.Name + "门口的路坏了"} {
			if r := g.Find(text, nil); r.Status != people.Found || r.Match.Village != d.Code {
				t.Errorf("%s: %s", text, says(r))
			}
		}
		if r := g.Find(d.Name, nil); r.Status == people.Unknown {
			t.Errorf("%s alone is unknown", d.Name)
		}
	}
}

// 39 names stand for 84 villages; each is asked back, with labels that differ.
func TestSharedNamesAreAskedBack(t *testing.T) {
	byName := map[string][]people.Division{}
	for _, d := range divisions(t) {
		if d.Level == people.LevelVillage {
			byName[d.Name] = append(byName[d.Name], d)
		}
	}
	g := gazetteer(t)
	shared := 0
	for name, list := range byName {
		if len(list) < 2 {
			continue
		}
		shared++
		r := g.Find(name, nil)
		if r.Status != people.Ambiguous || len(r.Options) != len(list) {
			t.Errorf("%s of %d villages: %s", name, len(list), says(r))
		}
		labels := map[string]bool{}
		for _, o := range r.Options {
			labels[o.FullLabel()] = true
		}
		if len(labels) != len(r.Options) {
			t.Errorf("%s: labels repeat: %v", name, labels)
		}
	}
	if shared != 39 {
		t.Errorf("%d shared names, want 39", shared)
	}
}

func TestManyOptionsSayMore(t *testing.T) {
	var places []people.Place
	for i, d := range divisions(t) {
		if d.Level == people.LevelVillage && len(places) < 9 {
			places = append(places, people.Place{ID: int64(i), Kind: people.PlaceLandmark, Name: "老戏台", Village: d.Code})
		}
	}
	r := people.NewGazetteer(divisions(t), nil, places).Find("老戏台", nil)
	if r.Status != people.Ambiguous || !r.More || len(r.Options) != 6 {
		t.Errorf("%d options, more %t", len(r.Options), r.More)
	}
}

// bigGazetteer has 10,000 places: estates of ten buildings in every village.
func bigGazetteer(t testing.TB) *people.Gazetteer {
	var places []people.Place
	all := divisions(t)
	for i := 0; len(places) < 10_000; i++ {
		d := all[i%len(all)]
		if d.Level != people.LevelVillage {
			continue
		}
		estate := fmt.Sprintf("阳光%c%c小区", rune('一'+i%4000), rune('丁'+i%3000))
		places = append(places, people.Place{Kind: people.PlaceEstate, Name: estate, Village: d.Code, At: &people.LatLon{Lat: 27.5 + float64(i%100)/500, Lon: 113.8}})
		for b := 1; b <= 10; b++ {
			places = append(places, people.Place{Kind: people.PlaceBuilding, Name: fmt.Sprintf("%s%d栋", estate, b), Village: d.Code})
		}
	}
	return people.NewGazetteer(all, nil, places)
}

var samples = []string{
	"昌盛小区3栋楼下水井盖有些松动，走上去会响，麻烦来看一下，晚上老人走路不安全",
	"宣风镇桥头村的路坏了", "就在桥头那边", "阳光小区的灯不亮了",
}

func BenchmarkFind(b *testing.B) {
	g := bigGazetteer(b)
	near := &people.LatLon{Lat: 27.6, Lon: 113.85}
	for b.Loop() {
		for _, s := range samples {
			g.Find(s, near)
		}
	}
}

// The budget of the design is 200 µs for one search; held loosely, for slow
// and busy machines.
func TestFindIsFast(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	g := bigGazetteer(t)
	r := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			for _, s := range samples {
				g.Find(s, nil)
			}
		}
	})
	if each := time.Duration(r.NsPerOp() / int64(len(samples))); each > 2*time.Millisecond {
		t.Errorf("one search takes %s", each)
	}
}

func TestFindProperties(t *testing.T) {
	g := gazetteer(t)
	pieces := []string{"昌盛小区", "3栋", "桥头村", "宣风镇", "，", "的", "十三", "号楼", "新村", "幸福里", "湘东区", "路灯", "坏了", "１", "第", "#", "\n"}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "pieces"), "")
		r := g.Find(text, nil)
		if says(r) != says(g.Find(text, nil)) {
			t.Fatalf("%q: two answers", text)
		}
		switch r.Status {
		case people.Found:
			if len(r.Match.Village) != 12 || r.Match.Name == "" {
				t.Fatalf("%q: found %+v", text, r.Match)
			}
		case people.Ambiguous:
			if len(r.Options) == 0 || len(r.Options) > 6 {
				t.Fatalf("%q: %d options", text, len(r.Options))
			}
		case people.Unknown:
		default:
			t.Fatalf("%q: status %q", text, r.Status)
		}
	})
}

func FuzzFind(f *testing.F) {
	g := gazetteer(f)
	f.Add("昌盛小区三号楼")
	f.Add("第\xff十#楼")
	f.Add(strings.Repeat("十", 300))
	f.Fuzz(func(t *testing.T, s string) { g.Find(s, nil) })
}

func TestAround(t *testing.T) {
	at := func(metres float64) *people.LatLon { return &people.LatLon{Lat: 27.62 + metres/111_320, Lon: 113.85} }
	g := people.NewGazetteer(nil, nil, []people.Place{
		{ID: 1, Name: "昌盛小区", Village: "360313001001", At: at(0)},
		{ID: 2, Name: "菜市场", Village: "360313001002", At: at(200)},
		{ID: 3, Name: "小学", Village: "360313001002", At: at(300)},
		{ID: 4, Name: "昌盛小区3栋", Village: "360313001001"},
	})
	for id, want := range map[int64][]int64{1: {1, 2}, 2: {1, 2, 3}, 4: {4}, 0: nil, 9: nil} {
		var got []int64
		for _, p := range g.Around(id, 250) {
			got = append(got, p.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("around %d are %v, want %v", id, got, want)
		}
	}
}
