// Package flowstest runs transcripts: written conversations that a dialogue
// must reproduce word by word. They are run by go test and by "shaoying flow
// test", and they are the specification that a township clerk can read.
//
//	# a comment
//	@ on place.find -> status=unknown          an answer for every such call
//	--- 井盖                                   a conversation begins
//	> 昌盛小区3栋楼下水井盖松动                 the resident writes
//	< 方便的话拍张照片；没有就回“跳过”。        the bot says exactly this
//	@ photo a1 "caption"                       the resident sends a photo
//	< …对吗？ [对] [改一改] [不报了]            … stands for any text, [x] are options
//	@ tap 对                                   the resident taps an option
//	= ticket.file matter=manhole -> number="1" an action is called with, and returns
//	< 已受理，编号 1。…
//	= end                                      the dialogue is over
//
// Further inputs: "@ place LAT,LON label", "@ after 15m" (time passes),
// "@ caps sms" (words alone, and each text is paid; also: all, none, or a list of
// photo place confirm, and group where others read along), "@ lang en",
// "@ flow NAME" (which dialogue the next message starts) and "@ start a=1" (a
// dialogue that is pushed). A \n in a text is a line break.
//
// Without @ flow a message starts the dialogue whose start word it holds, else
// the one that the file is named after (report.transcript, report-urgent.…). In
// the transcript of a staff dialogue a command stands at the beginning of the
// message and is taken off, as the gateway does: 办 3 已修好 hands over 3 已修好.
//
// Arguments are compared as people read them: an object by its label, title or
// name, or by its code or value; a.b looks inside. Arguments that a line does
// not name are not compared. Every call must be either expected by a "=" line
// or answered by an "@ on" line; those before the first conversation hold for
// all. State passes through JSON between any two steps.
package flowstest
