package actions

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"shaoying/internal/gateway"
	"shaoying/internal/ticket"
)

const dark = "昌盛小区3栋门口路灯不亮好几天了"

// 国办函〔2025〕66号: what a department must do is not sent down to the grid,
// neither by the desk that has it nor by a dispatcher; the grid may know of it.
func TestDepartmentsDutyIsNotSentToTheGrid(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", dark)
	o.is("dispatched")
	o.laid("qiu")
	if got := strings.Join(o.says("qiu", "转 1"), ""); strings.Contains(got, "网格]") {
		t.Errorf("a grid is offered: %s", got)
	}
	o.says("qiu", "昌盛二网格")
	o.expect("qiu", "跳过", "这是部门的事，不能派到网格")
	o.says("qiu", "退 1 清单里没有这一项")
	o.expect("qiu", "事情不归我们管", "等派单员定")
	o.grants("pai", "同意")
	task := o.task("dispatch")
	o.says("pai", "派 "+task)
	o.expect("pai", "昌盛二网格", "这是部门的事，不能派到网格")
	o.is("received")
	o.says("pai", "派 "+task)
	o.expect("pai", "住建局", "派给住房和城乡建设局了")
	o.is("dispatched")
}

// What the grid goes first for may be handed from grid to grid, and up.
func TestGridMattersMayGoToTheGrid(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	o.laid("wang")
	o.says("wang", "转 1 昌盛二网格")
	o.expect("wang", "跳过", "转给", "昌盛二网格了")
}

// Evidence photos where the matter says so, on whichever way it is finished:
// whoever gives the command need not know.
func TestPhotoIsDemandedWhereTheMatterSaysSo(t *testing.T) {
	o := newOffice(t)
	o.report("zhang", garbage)
	o.laid("wang")
	o.says("wang", "接 1")
	id := one[int64](o.rig, `select id from ticket`)
	args := map[string]any{"id": float64(id), "reply": "清走了", "result": "resolved"}
	if got := o.call("wang", "card.finish", args); got["fail"] != ticket.KeyNoPhoto {
		t.Errorf("finished in chat without a photo: %v", got)
	}
	finish := ticket.Finish{Result: ticket.UnitResolved, HasReply: true}
	o.as("wang", func(ctx context.Context, tn *gateway.Turn) error {
		k, err := o.set.Orders.Load(ctx, tn, id, false)
		if err != nil {
			return err
		}
		lead, _ := k.Lead()
		_, err = o.set.Orders.Do(ctx, tn, id, ticket.Actor{As: ticket.AsHandler, Staff: tn.Staff, Desk: lead.Desk}, finish)
		if refused := (*ticket.Refused)(nil); !errors.As(err, &refused) || refused.Key != ticket.KeyNoPhoto {
			t.Errorf("finished by a program without a photo: %v", err)
		}
		return nil
	})
	o.is("signed")
	args["result"] = "beyond_duty" // nothing to photograph
	if got := o.call("wang", "card.finish", args); got["fail"] != nil {
		t.Errorf("%v", got)
	}
	for _, key := range []string{ticket.KeyNoPhoto, ticket.KeyUnitDuty, ticket.KeyNoReply} {
		o.as("wang", func(ctx context.Context, tn *gateway.Turn) error {
			text, err := tn.Text(key, nil)
			if err == nil && text == "" {
				err = errors.New("empty")
			}
			return err
		})
	}
	if !slices.ContainsFunc(o.set.Orders.Matters.All(), func(m ticket.Matter) bool { return m.Photo }) {
		t.Error("no matter asks for a photo")
	}
}
