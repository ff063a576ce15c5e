package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
)

const (
	bedsHead = "number,clinic,patient,phone,grid,home,carers,type,doctor,nurse,opened,from,to,agreed,form,notice,terms,signer,diagnosis\n"
	bedsOne  = "JC-7,cli,李大爷,,,昌盛小区3栋,王梅/spouse/13800138001,treatment,doc,nurse,2026-01-05,2026-02-10,2026-03-20,2026-01-05,screen,1,1,王梅,偏瘫\n"
	bedsTwo  = "JC-8,cli,赵奶奶,13800138009,,,赵刚/son/13800138003,palliative,doc,nurse,2026-02-20,2026-02-20,2026-03-20,2026-02-20,screen,1,1,赵奶奶,肿瘤\n"
)

func (w *ward) imports(beds, plans string) (read, changed int, err error) {
	w.do("desk", func(ctx context.Context, t *gateway.Turn) error {
		staff, lookErr := w.deps.Care.AnswersFor(ctx, t.Tx, "desk")
		if lookErr != nil {
			return lookErr
		}
		if beds != "" {
			read, changed, err = w.deps.Care.ImportBeds(ctx, t, staff, "", people.File{Name: "beds.csv", Body: []byte(beds)})
		} else {
			read, changed, err = w.deps.Care.ImportPlans(ctx, t, staff, people.File{Name: "plans.csv", Body: []byte(plans)})
		}
		return nil
	})
	return read, changed, err
}

// A hospital's open beds and orders are taken over, all or none; the same files
// again change nothing.
func TestBedsAndOrdersOfAHospitalAreTakenOver(t *testing.T) {
	t.Parallel()
	w := newWard(t, "2026-03-03 09:00")
	if read, changed, err := w.imports(bedsHead+bedsOne+bedsTwo, ""); err != nil || read != 2 || changed != 2 {
		t.Fatalf("%d read, %d new, %v", read, changed, err)
	}
	if read, changed, err := w.imports(bedsHead+bedsOne+bedsTwo, ""); err != nil || read != 2 || changed != 0 {
		t.Errorf("again: %d read, %d new, %v", read, changed, err)
	}
	if n := one[int64](w.rig, `select count(*) from bed_agreement`); n != 2 {
		t.Errorf("%d agreements", n)
	}
	plans := "bed,kind,frequency,staff,from\nJC-7,nursing,7d,nurse,2026-03-04\nJC-8,round,tue,doc,2026-03-03\n"
	if read, changed, err := w.imports("", plans); err != nil || read != 2 || changed != 2 {
		t.Fatalf("orders: %d read, %d changed, %v", read, changed, err)
	}
	visits := one[int64](w.rig, `select count(*) from visit`)
	if visits < 4 {
		t.Errorf("%d visits", visits)
	}
	if _, changed, err := w.imports("", plans); err != nil || changed != 0 || one[int64](w.rig, `select count(*) from visit`) != visits {
		t.Errorf("orders again: %d changed, %v", changed, err)
	}
	// One bad line, and nothing is taken; the patient of the other has a bed already.
	third := strings.Replace(bedsTwo, "JC-8", "JC-9", 1)
	_, _, err := w.imports(bedsHead+strings.Replace(bedsOne, "JC-7", "JC-10", 1)+third, "")
	var bad *people.ImportError
	if !errors.As(err, &bad) || len(bad.Rows) != 1 || bad.Rows[0].Line != 3 || !strings.Contains(bad.Rows[0].Reason, "has_bed") {
		t.Errorf("a patient with a bed: %v", err)
	}
	if _, _, err := w.imports(bedsHead+strings.Replace(bedsOne, "screen", "paper", 1), ""); err == nil || !strings.Contains(err.Error(), "scan") {
		t.Errorf("paper without a scan: %v", err)
	}
}
