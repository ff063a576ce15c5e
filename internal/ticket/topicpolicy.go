package ticket

import (
	"errors"
	"fmt"
	"time"

	"shaoying/configs"
)

// TopicPolicy is configs/policies/topics.yaml, which says what each value means
// and where it comes from. Days are of 24 hours.
type TopicPolicy struct {
	// Cluster says when tickets look like one case.
	Cluster struct {
		Metres    float64 `yaml:"metres"`
		Days      int     `yaml:"days"`
		Reporters int     `yaml:"reporters"`
		Within    int     `yaml:"within"` // days
		Source    string  `yaml:"source"`
	} `yaml:"cluster"`
	// Offer is what a reporter is asked: is it this one?
	Offer struct {
		Most int `yaml:"most"`
		Days int `yaml:"days"`
		// NeverClaims are the claim types that are neither offered nor asked.
		NeverClaims []string `yaml:"never_claims"`
		Source      string   `yaml:"source"`
	} `yaml:"offer"`
	// Topic says from how many tickets on a special topic is proposed.
	Topic struct {
		Village int `yaml:"village"`
		County  int `yaml:"county"`
		Days    int `yaml:"days"`
		// Again is how many days after a decision the same is not proposed.
		Again  int    `yaml:"again"`
		Source string `yaml:"source"`
	} `yaml:"topic"`
	// Rise says what is unusual against the area's own past: see Rise.
	Rise RisePolicy `yaml:"rise"`
	// Compare is how many days before and after a topic are counted.
	Compare struct {
		Days   int    `yaml:"days"`
		Source string `yaml:"source"`
	} `yaml:"compare"`
	// Season makes patrol tasks of what came a year ago.
	Season struct {
		Tickets int    `yaml:"tickets"` // of one matter in one grid and month
		Matters int    `yaml:"matters"` // on one task, at most
		Source  string `yaml:"source"`
	} `yaml:"season"`
}

// RisePolicy is when a count is unusual.
type RisePolicy struct {
	Windows int     `yaml:"windows"` // that must lie behind
	Days    int     `yaml:"days"`    // of a window
	SD      float64 `yaml:"sd"`      // standard deviations above the mean
	Min     int     `yaml:"min"`     // tickets at least
	Source  string  `yaml:"source"`
}

// Validate lists everything that is wrong with the policy.
func (p TopicPolicy) Validate() error {
	var bad problems
	for where, n := range map[string]int{
		"cluster.days": p.Cluster.Days, "cluster.reporters": p.Cluster.Reporters, "cluster.within": p.Cluster.Within,
		"offer.most": p.Offer.Most, "offer.days": p.Offer.Days, "topic.village": p.Topic.Village, "topic.county": p.Topic.County,
		"topic.days": p.Topic.Days, "topic.again": p.Topic.Again, "rise.windows": p.Rise.Windows, "rise.days": p.Rise.Days,
		"rise.min": p.Rise.Min, "compare.days": p.Compare.Days, "season.tickets": p.Season.Tickets,
		"season.matters": p.Season.Matters,
	} {
		if n < 1 {
			bad.add("%s must be at least 1, is %d", where, n)
		}
	}
	if p.Cluster.Metres <= 0 || p.Rise.SD <= 0 {
		bad.add("cluster.metres and rise.sd must be above 0, are %v and %v", p.Cluster.Metres, p.Rise.SD)
	}
	if p.Cluster.Within > p.Cluster.Days {
		bad.add("cluster.within must not be longer than cluster.days")
	}
	for where, source := range map[string]string{
		"cluster": p.Cluster.Source, "offer": p.Offer.Source, "topic": p.Topic.Source, "rise": p.Rise.Source,
		"compare": p.Compare.Source, "season": p.Season.Source,
	} {
		bad.source(where, source)
	}
	return errors.Join(bad...)
}

// ParseTopicPolicy decodes configs/policies/topics.yaml strictly.
func ParseTopicPolicy(name string, body []byte) (TopicPolicy, error) {
	var p TopicPolicy
	if err := configs.Decode(name, body, &p); err != nil {
		return TopicPolicy{}, err
	}
	if err := p.Validate(); err != nil {
		return TopicPolicy{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// Days is a span of n days of 24 hours.
func Days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
