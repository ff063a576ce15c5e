package people

import "testing"

func TestNormalizePlace(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"昌盛小区 三号楼", "昌盛小区3栋"},
		{"昌盛小区３＃", "昌盛小区3栋"},
		{"昌盛小区第十二幢", "昌盛小区12栋"},
		{"二十栋", "20栋"},
		{"两栋", "2栋"},
		{"三〇一室", "301室"},
		{"一百二十号", "120号"},
		{"Ａ座", "a座"},
		{"八一街", "八一街"},
		{"三板桥乡", "三板桥乡"},
		{"十字路口", "十字路口"},
		{"第一中学", "第一中学"},
		{"老街3号", "老街3号"},
		{"3楼", "3楼"},
		{"（东区）4-5栋", "东区4-5栋"},
		{"3 栋 2 单元", "3栋2单元"},
		{"3、5栋", "3-5栋"},
		{"第第十#楼", "10栋"},
		{"13812345678号", "13812345678号"},
		{"007栋", "007栋"},
		{"", ""},
		{"，。", ""},
	} {
		if got := normalizePlace(c.in); got != c.want {
			t.Errorf("normalizePlace(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzNormalizePlace(f *testing.F) {
	for _, s := range []string{"昌盛小区三号楼", "第第十#楼", "３＃", "一百〇五栋", "#", "3栋栋", "二零零栋"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := normalizePlace(s)
		if twice := normalizePlace(once); twice != once {
			t.Fatalf("%q -> %q -> %q", s, once, twice)
		}
	})
}
