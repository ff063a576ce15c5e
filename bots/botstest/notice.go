package botstest

import (
	"context"

	"shaoying/bots"
)

// NoticeRig is a Rig whose adapter is a bots.Noticer.
type NoticeRig interface {
	Rig
	// Notice is a message whose text the network has approved as a notice. What
	// the user sees of it is in Sent, in whatever words the template has.
	Notice() bots.Message
}

// 22
func notices(b *bench) {
	b.start()
	noticer, ok := b.rig.Adapter().(bots.Noticer)
	if !ok {
		return
	}
	rig, ok := b.rig.(NoticeRig)
	if !ok {
		b.Fatalf("the adapter is a bots.Noticer: its rig must be a botstest.NoticeRig")
	}
	m, other := rig.Notice(), bots.Message{Key: "2", Text: "x", Template: bots.Template{Source: "texts:x", Key: "no.such.text"}}
	if !noticer.HasNotice(m.Template) || noticer.HasNotice(other.Template) || noticer.HasNotice(bots.Template{}) {
		b.Errorf("HasNotice of an approved text is %v, of another %v, of none %v", noticer.HasNotice(m.Template), noticer.HasNotice(other.Template), noticer.HasNotice(bots.Template{}))
	}
	send := func(m bots.Message) error {
		ctx, cancel := context.WithTimeout(context.Background(), b.patience)
		defer cancel()
		_, err := noticer.Notice(ctx, b.rig.Address(0), m)
		if err != nil {
			b.errs = append(b.errs, err.Error())
		}
		return err
	}
	seen := len(b.rig.Sent())
	if err := send(m); err != nil {
		b.Fatalf("a notice: %v", err)
	}
	if got := b.rig.Sent(); len(got) != seen+1 || got[seen].User != 0 || got[seen].Text == "" {
		b.Errorf("of a notice the user saw %+v", got[seen:])
	}
	if err := send(other); bots.ClassOf(err) != bots.ClassRejected || len(b.rig.Sent()) != seen+1 {
		b.Errorf("a notice without a template: %v, want class rejected", err)
	}
	for _, class := range []bots.Class{bots.ClassClosed, bots.ClassGone, bots.ClassUnknown} {
		if !b.rig.Fail(class) {
			continue
		}
		if err := send(m); bots.ClassOf(err) != class {
			b.Errorf("the network's %s to a notice came as %v", class, err)
		}
	}
}
