package words

import "unicode/utf8"

// traditional holds pairs of a traditional character and its simplified form,
// as they occur in civic reports. A full table is not needed: only words that
// are looked for must meet, and those are written in simplified characters.
// The last pairs give the three signs that residents tap instead of a word.
const traditional = "報报條条幾几個个們们這这裡里裏里來来時时間间問问題题說说話话請请謝谢沒没還还過过點点開开關关門门車车東东電电燈灯樓楼" +
	"區区鄉乡鎮镇縣县號号單单層层屋屋戶户廳厅廠厂廣广場场園园橋桥壞坏損损斷断漏漏溝沟臭臭廢废圾圾掃扫髒脏亂乱氣气熱热水水煙烟著着" +
	"滅灭燒烧爆爆災灾險险傷伤暈晕醫医藥药護护療疗養养歲岁嬰婴兒儿孫孙媽妈爺爷親亲務务處处辦办證证費费錢钱資资薪薪債债賠赔償偿" +
	"買买賣卖貨货質质價价標标準准繳缴稅税銀银農农業业種种殺杀樹树葉叶綠绿閘闸欄栏桿杆線线纜缆網网絡络視视訊讯" +
	"聽听聲声響响靜静擾扰鄰邻爭争吵吵罵骂毆殴訴诉舉举滿满意意決决應应該该對对錯错確确認认選选擇择復复覆复訂订閱阅退退" +
	"無无為为與与從从後后將将當当總总別别動动運运轉转傳传輸输進进邊边遠远連连達达適适設设備备維维護护檢检驗验" +
	"級级給给經经結结統统續续緊紧紅红約约納纳紙纸終终組组絕绝繼继編编蓋盖監监盤盘圖图國国圓圆團团員员壓压" +
	"長长陽阳陰阴隊队階阶際际難难離离雞鸡雙双雜杂雖虽項项順顺須须頭头顆颗願愿類类風风飛飞飯饭館馆馬马駕驾騎骑驚惊" +
	"魚鱼鳥鸟麼么麵面黃黄齊齐齒齿龍龙學学實实寫写審审導导專专屬属島岛帶带幫帮床床庫库張张強强彈弹徵征憂忧慮虑" +
	"懷怀應应戰战戲戏擔担據据擋挡擠挤擺摆攔拦攤摊敗败敵敌數数斬斩舊旧曬晒書书會会條条樣样樂乐權权歡欢歲岁歷历歸归" +
	"殘残決决沖冲況况測测湧涌溫温滾滚灣湾灑洒點点爐炉爛烂牆墙獄狱獎奖環环現现產产畝亩異异療疗盜盗矯矫礙碍礦矿禮礼" +
	"穩稳窗窗筆笔節节範范簽签簡简糞粪糧粮係系綁绑緩缓縫缝繞绕織织罰罚職职聯联腦脑腳脚臉脸臟脏臨临舉举艙舱節节" +
	"蘆芦萊莱蓮莲虧亏蟲虫術术補补裝装製制複复見见規规覺觉觸触計计記记許许評评詐诈詢询試试詳详誤误課课調调談谈論论" +
	"識识譜谱譽誉讀读變变讓让豬猪貓猫負负責责貧贫貼贴貸贷賬账贈赠趕赶跡迹踐践蹤踪軌轨軟软較较輛辆輪轮辭辞" +
	"邨村郵邮鄭郑醜丑釋释針针鈴铃鉛铅銷销鋼钢錄录鍋锅鍵键鎖锁鏈链鐘钟鐵铁鑰钥閃闪閉闭陳陈陸陆險险隱隐隨随" +
	"靈灵頂顶預预領领頻频顏颜顧顾飄飘飲饮飽饱養养餘余餓饿騙骗鬆松鬧闹鮮鲜鴨鸭鹽盐" +
	"👍好👌好👎差"

var simplified = pairs(traditional)

func pairs(s string) map[rune]rune {
	m := make(map[rune]rune, len(s)/6)
	for len(s) > 0 {
		from, n := utf8.DecodeRuneInString(s)
		to, k := utf8.DecodeRuneInString(s[n:])
		s = s[n+k:]
		m[from] = to
	}
	return m
}

func simplify(r rune) rune {
	if r < 0x3000 {
		return r
	}
	if to, ok := simplified[r]; ok {
		return to
	}
	return r
}
