package gateway

import "testing"

// An option of the open question, word for word, is an answer also when a
// command begins like it; any other command stands above the question.
func TestAnswersThatBeginLikeCommands(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.hire("wang")
	r.want(r.says("wang", "联系"), "联系上了吗？")
	r.want(r.says("wang", "联系上了"), "记下了：联系上了。")
	r.says("wang", "联系")
	r.want(r.says("wang", "联系 3"), "联系上了吗？") // the command once more
	r.want(r.says("wang", "接 3"), "接下了。")
}
