package pdu

import "fmt"

// Status is a command_status (5.1.3).
type Status uint32

// The states of a command that are told apart by what follows.
const (
	OK              Status = 0x00000000
	InvalidLength   Status = 0x00000002 // ESME_RINVCMDLEN
	InvalidCommand  Status = 0x00000003 // ESME_RINVCMDID
	AlreadyBound    Status = 0x00000005 // ESME_RALYBND
	SystemError     Status = 0x00000008 // ESME_RSYSERR
	InvalidTo       Status = 0x0000000B // ESME_RINVDSTADR
	BindFailed      Status = 0x0000000D // ESME_RBINDFAIL
	InvalidPassword Status = 0x0000000E // ESME_RINVPASWD
	InvalidSystemID Status = 0x0000000F // ESME_RINVSYSID
	QueueFull       Status = 0x00000014 // ESME_RMSGQFUL
	Throttled       Status = 0x00000058 // ESME_RTHROTTLED
	Later           Status = 0x00000064 // ESME_RX_T_APPN: deliver it again
	QueryFailed     Status = 0x00000067 // ESME_RQUERYFAIL
)

// names are the names of the specification.
var names = map[Status]string{
	0x00: "ESME_ROK", 0x01: "ESME_RINVMSGLEN", 0x02: "ESME_RINVCMDLEN", 0x03: "ESME_RINVCMDID", 0x04: "ESME_RINVBNDSTS",
	0x05: "ESME_RALYBND", 0x06: "ESME_RINVPRTFLG", 0x07: "ESME_RINVREGDLVFLG", 0x08: "ESME_RSYSERR", 0x0A: "ESME_RINVSRCADR",
	0x0B: "ESME_RINVDSTADR", 0x0C: "ESME_RINVMSGID", 0x0D: "ESME_RBINDFAIL", 0x0E: "ESME_RINVPASWD", 0x0F: "ESME_RINVSYSID",
	0x11: "ESME_RCANCELFAIL", 0x13: "ESME_RREPLACEFAIL", 0x14: "ESME_RMSGQFUL", 0x15: "ESME_RINVSERTYP", 0x33: "ESME_RINVNUMDESTS",
	0x34: "ESME_RINVDLNAME", 0x40: "ESME_RINVDESTFLAG", 0x42: "ESME_RINVSUBREP", 0x43: "ESME_RINVESMCLASS", 0x44: "ESME_RCNTSUBDL",
	0x45: "ESME_RSUBMITFAIL", 0x48: "ESME_RINVSRCTON", 0x49: "ESME_RINVSRCNPI", 0x50: "ESME_RINVDSTTON", 0x51: "ESME_RINVDSTNPI",
	0x53: "ESME_RINVSYSTYP", 0x54: "ESME_RINVREPFLAG", 0x55: "ESME_RINVNUMMSGS", 0x58: "ESME_RTHROTTLED", 0x61: "ESME_RINVSCHED",
	0x62: "ESME_RINVEXPIRY", 0x63: "ESME_RINVDFTMSGID", 0x64: "ESME_RX_T_APPN", 0x65: "ESME_RX_P_APPN", 0x66: "ESME_RX_R_APPN",
	0x67: "ESME_RQUERYFAIL", 0xC0: "ESME_RINVOPTPARSTREAM", 0xC1: "ESME_ROPTPARNOTALLWD", 0xC2: "ESME_RINVPARLEN",
	0xC3: "ESME_RMISSINGOPTPARAM", 0xC4: "ESME_RINVOPTPARAMVAL", 0xFE: "ESME_RDELIVERYFAILURE", 0xFF: "ESME_RUNKNOWNERR",
}

// String is the name of the specification, or the number of what a centre made
// up itself (0x400 and above are for vendors).
func (s Status) String() string {
	if name, ok := names[s]; ok {
		return name
	}
	return fmt.Sprintf("command_status %#x", uint32(s))
}
