package bots

import "math"

// Chinese maps show GCJ-02, which lies up to some 700 m beside WGS-84 in a way
// that was never published. The formula is the one that surveyors worked out and
// every map library uses ("eviltransform", 2013), on the ellipsoid of Krasovsky.
const (
	gcjAxis  = 6378245.0
	gcjEccen = 0.00669342162296594323
)

// FromGCJ02 is a position on a Chinese map, as WGS-84. Outside of the mainland
// the two are taken to be one, as Chinese maps do. The error is under 0.1 m.
func FromGCJ02(lat, lon float64, label string) *Place {
	wgsLat, wgsLon := lat, lon
	for range 4 { // the shift itself is smooth: each round takes off a thousandth
		gotLat, gotLon := ToGCJ02(wgsLat, wgsLon)
		wgsLat, wgsLon = wgsLat+lat-gotLat, wgsLon+lon-gotLon
	}
	return &Place{Lat: wgsLat, Lon: wgsLon, Datum: DatumWGS84, Label: label}
}

// ToGCJ02 is where a WGS-84 position lies on a Chinese map.
func ToGCJ02(lat, lon float64) (gcjLat, gcjLon float64) {
	if lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271 {
		return lat, lon
	}
	x, y := lon-105, lat-35
	root := math.Sqrt(math.Abs(x))
	shared := (20*math.Sin(6*x*math.Pi) + 20*math.Sin(2*x*math.Pi)) * 2 / 3
	north := -100 + 2*x + 3*y + 0.2*y*y + 0.1*x*y + 0.2*root + shared +
		(20*math.Sin(y*math.Pi)+40*math.Sin(y/3*math.Pi))*2/3 + (160*math.Sin(y/12*math.Pi)+320*math.Sin(y*math.Pi/30))*2/3
	east := 300 + x + 2*y + 0.1*x*x + 0.1*x*y + 0.1*root + shared +
		(20*math.Sin(x*math.Pi)+40*math.Sin(x/3*math.Pi))*2/3 + (150*math.Sin(x/12*math.Pi)+300*math.Sin(x/30*math.Pi))*2/3
	rad := lat / 180 * math.Pi
	magic := 1 - gcjEccen*math.Sin(rad)*math.Sin(rad)
	sqrt := math.Sqrt(magic)
	return lat + north*180/(gcjAxis*(1-gcjEccen)/(magic*sqrt)*math.Pi), lon + east*180/(gcjAxis/sqrt*math.Cos(rad)*math.Pi)
}
