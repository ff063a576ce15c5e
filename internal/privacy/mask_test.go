package privacy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Promise P4: masked by default.
func TestMaskPhone(t *testing.T) {
	for in, want := range map[string]string{
		"13812345678": "138****5678", "+8613812345678": "138****5678", "86 138 1234 5678": "138****5678",
		"138-1234-5678": "138****5678", "0799-6331234": "079****1234", "6331234": "****34", "10086": "****",
		"": "****", "没有": "****", "+4915112345678": "491****5678",
	} {
		if got := MaskPhone(in); got != want {
			t.Errorf("MaskPhone(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMaskName(t *testing.T) {
	for in, want := range map[string]string{
		"张三": "张*", "张小三": "张**", "欧阳娜娜": "欧**", "李": "*", "": "", " 王五 ": "王*", "John Smith": "J**",
	} {
		if got := MaskName(in); got != want {
			t.Errorf("MaskName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMaskAddress(t *testing.T) {
	for in, want := range map[string]string{
		"昌盛小区3栋2单元501室":  "昌盛小区3栋***",
		"昌盛小区3栋":         "昌盛小区3栋",
		"昌盛小区三栋501":      "昌盛小区三栋***",
		"安源区跃进北路12号3号楼2": "安源区跃进北路12号3号楼***",
		"安源区跃进北路12号":     "安源区跃进北路***",
		"桥头村老祠堂旁边第二家":    "桥头村***",
		"桥头村12号":         "桥头村***",
		"湘东镇桥头村":         "湘东镇桥头村",
		"老祠堂旁边第二家":       "老祠堂***",
		"家里":             "***",
		"":               "",
	} {
		if got := MaskAddress(in); got != want {
			t.Errorf("MaskAddress(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMasksHideTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		phone := rapid.StringMatching(`1[3-9][0-9]{9}`).Draw(t, "phone")
		if got := MaskPhone(phone); strings.Contains(got, phone[3:7]) && phone[3:7] != phone[7:] || len(got) != 11 {
			t.Fatalf("MaskPhone(%s) = %s", phone, got)
		}
		name := rapid.StringOfN(rapid.RuneFrom([]rune("张三李四王五")), 2, 5, -1).Draw(t, "name")
		if got := MaskName(name); strings.TrimRight(got, "*") != string([]rune(name)[:1]) {
			t.Fatalf("MaskName(%s) = %s", name, got)
		}
		flat := rapid.StringMatching(`[1-9][0-9]{2,3}`).Draw(t, "flat")
		if got := MaskAddress("昌盛小区3栋" + flat + "室"); strings.Contains(got, flat) {
			t.Fatalf("the flat shows in %s", got)
		}
		any := rapid.String().Draw(t, "any")
		_, _, _ = MaskPhone(any), MaskName(any), MaskAddress(any)
	})
}
