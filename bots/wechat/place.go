package wechat

import (
	"encoding/xml"
	"html"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/eatmoreapple/openwechat"

	"shaoying/bots"
)

// isPlace reports whether a message is a position: a text with a map.
func isPlace(m *openwechat.Message, content string) bool {
	return m.MsgType == openwechat.MsgTypeLocation || m.MsgType == openwechat.MsgTypeText &&
		(strings.Contains(m.Url, mapHost) || strings.Contains(content, placePicture))
}

// placePicture is in the link to the picture of a map.
const placePicture = "/cgi-bin/mmwebwx-bin/webwxgetpubliclinkimg"

// placeOf reads a position: where the original message has it, else from the link
// to a map. WeChat's coordinates are GCJ-02. place is nil where there are none.
func placeOf(m *openwechat.Message, content string) (place *bots.Place, label string) {
	label, _, _ = strings.Cut(content, ":<br/>")
	label = line(text(label))
	if strings.Contains(label, "/cgi-bin/") { // the link alone
		label = ""
	}
	var msg struct {
		Location struct {
			X     float64 `xml:"x,attr"`
			Y     float64 `xml:"y,attr"`
			Label string  `xml:"label,attr"`
			POI   string  `xml:"poiname,attr"`
		} `xml:"location"`
	}
	original := m.OriContent
	if original == "" && m.MsgType == openwechat.MsgTypeLocation {
		original = html.UnescapeString(breakShape.ReplaceAllString(content, ""))
	}
	if xml.Unmarshal([]byte(original), &msg) == nil && (msg.Location.X != 0 || msg.Location.Y != 0) {
		if said := line(msg.Location.Label); said != "" {
			label = said
		}
		return onMap(msg.Location.X, msg.Location.Y, label), label
	}
	if lat, lon, ok := coordinates(m.Url); ok {
		return onMap(lat, lon, label), label
	}
	return nil, label
}

// onMap is a position, nil where the numbers are none.
func onMap(lat, lon float64, label string) *bots.Place {
	if math.IsNaN(lat) || math.IsNaN(lon) || math.Abs(lat) > 90 || math.Abs(lon) > 180 {
		return nil
	}
	return bots.FromGCJ02(lat, lon, label)
}

// mapHost is whose links name positions.
const mapHost = "apis.map.qq.com"

// coordinates reads "coord=22.54,114.05" of a link to Tencent's maps.
func coordinates(link string) (lat, lon float64, ok bool) {
	u, err := url.Parse(link)
	if err != nil || u.Hostname() != mapHost {
		return 0, 0, false
	}
	first, second, found := strings.Cut(u.Query().Get("coord"), ",")
	if !found {
		return 0, 0, false
	}
	lat, errLat := strconv.ParseFloat(strings.TrimSpace(first), 64)
	lon, errLon := strconv.ParseFloat(strings.TrimSpace(second), 64)
	return lat, lon, errLat == nil && errLon == nil
}
