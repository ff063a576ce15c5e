package bots_test

import (
	"math"
	"testing"

	"shaoying/bots"
)

// metres is the distance of two near positions.
func metres(lat1, lon1, lat2, lon2 float64) float64 {
	const degree = 111_195
	return degree * math.Hypot(lat1-lat2, (lon1-lon2)*math.Cos(lat1/180*math.Pi))
}

// Known pairs of the two systems, as map libraries publish them for their tests
// (Shanghai, Shenzhen, Beijing).
func TestGCJ02KnownPairs(t *testing.T) {
	for _, p := range []struct{ wgsLat, wgsLon, gcjLat, gcjLon float64 }{
		{31.1774276, 121.5272106, 31.17530398364597, 121.531541859215},
		{22.543847, 113.912316, 22.540796131694766, 113.9171764808363},
		{39.911954, 116.377817, 39.91334545536069, 116.38404722455657},
	} {
		lat, lon := bots.ToGCJ02(p.wgsLat, p.wgsLon)
		if d := metres(lat, lon, p.gcjLat, p.gcjLon); d > 0.01 {
			t.Errorf("%v is %.3f m off", p, d)
		}
		back := bots.FromGCJ02(p.gcjLat, p.gcjLon, "x")
		if d := metres(back.Lat, back.Lon, p.wgsLat, p.wgsLon); d > 0.01 || back.Datum != bots.DatumWGS84 || back.Label != "x" {
			t.Errorf("%v comes back %.3f m off: %+v", p, d, back)
		}
	}
}

func TestGCJ02OverTheCountryAndOutside(t *testing.T) {
	for lat := 4.0; lat < 54; lat += 0.7 {
		for lon := 73.0; lon < 135; lon += 0.7 {
			gcjLat, gcjLon := bots.ToGCJ02(lat, lon)
			if d := metres(lat, lon, gcjLat, gcjLon); d < 10 || d > 1300 {
				t.Fatalf("%v,%v moved by %.0f m", lat, lon, d)
			}
			back := bots.FromGCJ02(gcjLat, gcjLon, "")
			if d := metres(lat, lon, back.Lat, back.Lon); d > 0.1 {
				t.Fatalf("%v,%v comes back %.3f m off", lat, lon, d)
			}
		}
	}
	if p := bots.FromGCJ02(48.85, 2.35, ""); p.Lat != 48.85 || p.Lon != 2.35 {
		t.Errorf("Paris moved: %+v", p)
	}
}
