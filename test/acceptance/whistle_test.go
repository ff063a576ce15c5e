//go:build acceptance

package acceptance

import (
	"regexp"
	"testing"

	"shaoying/test/world"
)

var whistleNumber = regexp.MustCompile(`【哨(\d+)】`)

// A whistle with two units, all of it in chat: one answers, arrives and handles;
// the other does not arrive, so that it is raised; the township appraises both
// and closes it.
func TestWhistle(t *testing.T) {
	worker, head := staff(t, "worker-360313001010001"), staff(t, "head-360313001")
	desk, unit := staff(t, "dispatcher-360313"), staff(t, "urban-management-1")
	supervisor := staff(t, "supervisor-360313")

	worker.Say("提哨 门口夜市占道，几家单位都要来")
	worker.Tap(worker.Expect("哪一种哨"), "应急处置哨")
	worker.Tap(worker.Expect("从哪里来"), "巡查看到的")
	worker.Expect("什么地方")
	worker.Say("昌盛小区3栋")
	m := whistleNumber.FindStringSubmatch(worker.Expect("提上去了").Text)
	if m == nil {
		t.Fatal("the whistle has no number")
	}
	n := m[1]

	head.Expect("哨"+n, "请定吹不吹")
	head.Say("吹哨 " + n)
	head.Tap(head.Expect("夜市占道", "吹吗"), "是")
	head.Expect("吹响了")
	desk.Expect("哨"+n, "请分给单位")
	desk.Say("分哨 " + n + " 城管局、住建局")
	desk.Expect("分给城市管理局、住房和城乡建设局了")

	unit.Tap(unit.Expect("【哨"+n+"】", "请城市管理局报到", "主办"), "应哨")
	unit.Expect("应了")
	unit.Say("报到 " + n)
	unit.Expect("发个定位")
	unit.Place(27.64, 113.73, "昌盛小区")
	unit.Expect("现场照片")
	unit.File("photo", world.Photo(320, 240))
	unit.Expect("报到记下了")
	unit.Say("办哨 " + n + " 摊位都清走了")
	unit.Expect("照片")
	unit.Say("跳过")
	unit.Expect("办结记下了")

	server.Advance(t, "2h30m")
	head.Expect("住房和城乡建设局", "还没到场")
	supervisor.Expect("哨"+n, "提级到县区领导", "请督办")

	appraise := func(unit, speed, quality string) world.Item {
		head.Say("评哨 " + n)
		head.Tap(head.Expect(unit, "快不快"), speed)
		head.Tap(head.Expect("怎么样"), quality)
		head.Expect("还有话说")
		head.Say("跳过")
		return head.Expect("【哨" + n + "】")
	}
	if said := appraise("城市管理局：已办结", "很快", "好"); !world.Holds(said.Text, "还有1家") {
		t.Errorf("after the first appraisal: %q", said.Text)
	}
	appraise("住房和城乡建设局：待应哨", "没来", "差")
	head.Say("销哨 " + n)
	head.Tap(head.Expect("解决了吗"), "解决了")
	head.Expect("销了")
	worker.Expect("您提的哨"+n, "办完了")
	head.Say("哨星")
	head.Expect("城市管理局 样本不足")

	if s := one[string](t, `select state || ' ' || level || ' ' || solved from whistle where id = $1::bigint`, n); s != "closed 4 yes" {
		t.Errorf("the whistle is %q", s)
	}
	if k := one[int](t, `select count(*) from whistle_unit where whistle_id = $1::bigint and state = 'appraised'`, n); k != 2 {
		t.Errorf("%d units are appraised", k)
	}
}
