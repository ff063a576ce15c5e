package telegram

import "encoding/json"

// allowed are the kinds of update that we ask for.
func allowed() []string {
	return []string{"message", "edited_message", "callback_query", "my_chat_member"}
}

// What we read of an update. The library's own types are not used for reading:
// they refuse a whole batch for one value that they do not know yet, and a
// newer Bot API must not cost anybody's message.
type (
	update struct {
		ID       int64       `json:"update_id"`
		Message  *message    `json:"message"`
		Edited   *message    `json:"edited_message"`
		Callback *callback   `json:"callback_query"`
		Member   *membership `json:"my_chat_member"`
	}
	user struct {
		ID        int64  `json:"id"`
		IsBot     bool   `json:"is_bot"`
		FirstName string `json:"first_name"`
		LastName  string `json:"last_name"`
	}
	chat struct {
		ID   int64  `json:"id"`
		Type string `json:"type"`
	}
	message struct {
		ID          int64     `json:"message_id"`
		Date        int64     `json:"date"`
		EditDate    int64     `json:"edit_date"`
		Chat        chat      `json:"chat"`
		From        *user     `json:"from"`
		SenderChat  *chat     `json:"sender_chat"`
		ReplyTo     *message  `json:"reply_to_message"`
		Text        string    `json:"text"`
		Caption     string    `json:"caption"`
		Photo       []file    `json:"photo"`
		Voice       *file     `json:"voice"`
		Audio       *file     `json:"audio"`
		Document    *file     `json:"document"`
		Video       *video    `json:"video"`
		VideoNote   *video    `json:"video_note"`
		Animation   *video    `json:"animation"`
		Location    *location `json:"location"`
		Venue       *venue    `json:"venue"`
		Contact     *contact  `json:"contact"`
		NewMembers  []user    `json:"new_chat_members"`
		LeftMember  *user     `json:"left_chat_member"`
		MigrateTo   int64     `json:"migrate_to_chat_id"`
		MigrateFrom int64     `json:"migrate_from_chat_id"`
		other
	}
	// other is what a person can send and we cannot read.
	other struct {
		Sticker   json.RawMessage `json:"sticker"`
		Poll      json.RawMessage `json:"poll"`
		Dice      json.RawMessage `json:"dice"`
		Game      json.RawMessage `json:"game"`
		Story     json.RawMessage `json:"story"`
		PaidMedia json.RawMessage `json:"paid_media"`
		Checklist json.RawMessage `json:"checklist"`
	}
	file struct {
		ID     string `json:"file_id"`
		Name   string `json:"file_name"`
		MIME   string `json:"mime_type"`
		Size   int64  `json:"file_size"`
		Width  int64  `json:"width"`
		Height int64  `json:"height"`
	}
	video struct {
		Thumbnail *file `json:"thumbnail"`
	}
	location struct {
		Lat  float64 `json:"latitude"`
		Lon  float64 `json:"longitude"`
		Live int64   `json:"live_period"`
	}
	venue struct {
		Title string `json:"title"`
	}
	contact struct {
		Phone     string `json:"phone_number"`
		FirstName string `json:"first_name"`
		LastName  string `json:"last_name"`
		User      int64  `json:"user_id"`
	}
	callback struct {
		ID      string   `json:"id"`
		From    user     `json:"from"`
		Message *message `json:"message"`
		Data    string   `json:"data"`
	}
	membership struct {
		Chat chat   `json:"chat"`
		From user   `json:"from"`
		Date int64  `json:"date"`
		Old  member `json:"old_chat_member"`
		New  member `json:"new_chat_member"`
	}
	member struct {
		Status   string `json:"status"`
		IsMember bool   `json:"is_member"` // of the restricted ones
	}
)

// present reports whether somebody of that status is in the chat.
func (m member) present() bool {
	switch m.Status {
	case "creator", "administrator", "member":
		return true
	case "restricted":
		return m.IsMember
	}
	return false
}

// any reports whether something is there that we cannot read.
func (o other) any() bool {
	for _, raw := range []json.RawMessage{o.Sticker, o.Poll, o.Dice, o.Game, o.Story, o.PaidMedia, o.Checklist} {
		if raw != nil {
			return true
		}
	}
	return false
}
