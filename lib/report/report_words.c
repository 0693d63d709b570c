/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/report_words.h"

// Formats have their arguments in the same order in both languages.
static const char *const words[WORDS][REPORT_LANGUAGES] = {
	[WORD_TITLE] = {"DNS フィルタリング報告書", "DNS filtering report"},
	[WORD_CONTENTS] = {"目次", "Contents"},
	[WORD_MADE] = {"作成日 %s", "Made on %s"},
	[WORD_BACKGROUND] = {"取り組みの背景", "Background"},
	[WORD_OUTLINE] = {"DNS フィルタリングの仕組みと適用範囲",
		"How DNS is filtered, and for whom"},
	[WORD_ABOUT] = {"この報告書について", "About this report"},
	[WORD_MALWARE] = {"フィルタリングの対象としたマルウェア", "Malware that was filtered"},
	[WORD_STATUS] = {"フィルタリングの適用状況", "What was affected"},
	[WORD_OPERATION] = {"期間中の運用", "Operation in the period"},
	[WORD_CONTACT] = {"お問い合わせ", "Contact"},
	[WORD_OPT_OUT] = {"オプトアウト（不同意の手続き）", "Opting out"},
	[WORD_PERIOD_IS] = {"この報告書は、次の期間を対象としています。",
		"This report is about the period"},
	[WORD_ABOUT_MADE] = {"作成日は %sです。集計と作成には dnsweir-report %s を使用しました。",
		"It was made on %s by dnsweir-report %s."},
	[WORD_TABLE] = {"表 %u　%s", "Table %u. %s"},
	[WORD_TABLE_GOES_ON] = {"（続き）", " (continued)"},
	[WORD_FIGURE] = {"図 %u　%s", "Figure %u. %s"},
	[WORD_SERVICES] = {"DNS フィルタリングを適用したサービス（%s）",
		"Services to which DNS filtering applied (%s)"},
	[WORD_SERVICES_SEE] = {"適用対象のサービスを表 %u に示します。",
		"Table %u has the services to which it applied."},
	[WORD_SELECTION] = {"対象の選定", "How targets are chosen"},
	[WORD_MALWARE_SEE] =
		{"期間中に対象としたマルウェアを表 %u に示します。マルウェアは %u 件、その FQDN は"
		 "延べ %u 件です。",
			"Table %u has the malware that was filtered on some day of the period: %u, "
			"with %u FQDNs "
			"in all."},
	[WORD_MALWARE_TABLE] = {"フィルタリングの対象としたマルウェア",
		"Malware that was filtered"},
	[WORD_ID] = {"識別子", "Identifier"},
	[WORD_FQDNS] = {"FQDN 数", "FQDNs"},
	[WORD_BEHAVIOUR] = {"挙動", "Behaviour"},
	[WORD_START] = {"フィルタリング開始日", "Filtered from"},
	[WORD_END] = {"フィルタリング終了日", "Filtered until"},
	[WORD_LEGEND] = {"表の見方", "How to read the table"},
	[WORD_LEGEND_ID] = {"識別子：マルウェアを区別するための名称です。",
		"Identifier: a name that tells one malware from another."},
	[WORD_LEGEND_FQDNS] =
		{"FQDN 数：このマルウェアの C&C サーバとして、期間中の 1 日以上フィルタリングした"
		 " FQDN の数です。",
			"FQDNs: how many names of its C&C servers were filtered on some day of the "
			"period. It may "
			"have others."},
	[WORD_LEGEND_BEHAVIOUR] =
		{"挙動：対象とする理由になった挙動です。ほかの挙動をとることもあります。",
			"Behaviour: the one for which it was chosen. It may show others."},
	[WORD_LEGEND_DATES] = {"開始日と終了日：フィルタリングした最初の日と最後の日です。期間の末"
			       "日にフィルタリング"
			       "を続けていたものは、終了日を空欄としています。",
		"From and until: the first and the last day of filtering; empty where it went on "
		"at the end "
		"of the period."},
	[WORD_NATURE] = {"マルウェアの特徴と危険性", "Characteristics and risk"},
	[WORD_NATURE_IDS] = {"該当：%s", "Seen with: %s"},
	[WORD_NATURE_MORE] = {"%s ほか %u 件", "%s and %u more"},
	[WORD_CHARACTERISTICS] = {"特徴：%s", "Characteristics: %s"},
	[WORD_RISK] = {"危険性：%s", "Risk: %s"},
	[WORD_NATURE_NONE] = {"期間中に対象としたマルウェアはありません。",
		"No malware was filtered in the period."},
	[WORD_STATUS_SEE] = {"影響を受けたクエリの割合を表 %u に示します。",
		"Table %u has the share of affected queries."},
	[WORD_STATUS_TABLE] = {"影響を受けたクエリの割合", "Share of affected queries"},
	[WORD_MONTH] = {"対象期間", "Month"},
	[WORD_FILTERED] = {"影響を受けたクエリ", "Affected queries"},
	[WORD_RESPONSES] = {"全クエリ", "All queries"},
	[WORD_SHARE] = {"影響を受けたクエリの割合", "Share of affected queries"},
	[WORD_SHARE_CHART] = {"影響を受けたクエリの割合の推移",
		"Share of affected queries by month"},
	[WORD_METHOD] = {"算出方法", "Method"},
	[WORD_METHOD_SHARE] = {"割合は、影響を受けたクエリの数を全クエリの数で割ったものです。整数"
			       "のまま割り算し、百分率の"
			       "小数第 15 位までを示します（第 16 位以下は切り捨て）。",
		"The share is the number of affected queries divided by that of all queries. "
		"Integers are "
		"divided; 15 decimals of the percentage are shown, the rest is cut off."},
	[WORD_METHOD_FILTERED] = {"影響を受けたクエリは、応答に含まれる名前がフィルタリングの対象に"
				  "該当し、応答を変更した、"
				  "または返さなかったクエリです。記録のみを行う対象は含みません。",
		"Affected queries are those whose response was changed or withheld because a name "
		"in it was "
		"to be filtered. Names that are only logged do not count."},
	[WORD_METHOD_RESPONSES] =
		{"全クエリは、DNS "
		 "サーバが応答したすべてのクエリです。種類や応答コードは問いません。"
		 "オプトアウトしたお客様の分は、いずれの数にも含みません。",
			"All queries are those that DNS servers responded to, of any type and "
			"response code. "
			"Customers who opted out are in none of the numbers."},
	[WORD_METHOD_MONTHS] = {"月の区切りは、タイムゾーン %s の暦によります。",
		"Months are those of the calendar in the time zone %s."},
	[WORD_METHOD_EXACT] =
		{"クエリの数は通信ログとは別に数えており、負荷によって欠けることはありません。",
			"Queries are counted apart from the log of queries, and none is missed at "
			"any load."},
	[WORD_METHOD_HIDDEN] = {"少数の件数からお客様が推測されることを防ぐため、%llu "
				"未満の件数は「<%llu」と表示します。"
				"合計との差から分かってしまう件数も表示しません（「–」）。",
		"So that small numbers point at nobody, those below %llu are shown as <%llu. "
		"Numbers that "
		"would tell them by a difference are not shown either (–)."},
	[WORD_COUNTS] = {"マルウェア別の件数", "Malware by malware"},
	[WORD_COUNTS_SEE] = {"影響を受けたクエリのマルウェア別の内訳を表 %u に示します。",
		"Table %u has the affected queries of each malware."},
	[WORD_COUNTS_TABLE] = {"マルウェア別の影響を受けたクエリ", "Affected queries by malware"},
	[WORD_COUNTS_CHART] = {"マルウェア別の影響を受けたクエリ（期間の合計）",
		"Affected queries by malware, in the whole period"},
	[WORD_TOTAL] = {"合計", "Total"},
	[WORD_OF_NONE] = {"識別子なし", "No identifier"},
	[WORD_ADDRESSES] = {"C&C サーバのアドレス", "Addresses of C&C servers"},
	[WORD_ADDRESSES_SEE] =
		{"変更する前の応答に含まれていた C&C サーバの IP アドレスの数を表 %u に示します。",
			"Table %u has the number of IP addresses that responses had before they "
			"were changed."},
	[WORD_ADDRESSES_TABLE] = {"C&C サーバの IP アドレス数", "IP addresses of C&C servers"},
	[WORD_ADDRESSES_N] = {"アドレス数", "Addresses"},
	[WORD_ADDRESSES_NONE] = {"この報告書には、C&C サーバのアドレス数は含まれていません。",
		"No numbers of addresses were given for this report."},
	[WORD_CHANGES] = {"期間中の変更", "Changes in the period"},
	[WORD_CHANGES_SEE] = {"対象の追加や終了などの変更を表 %u に示します。",
		"Table %u has what was added, ended, or began again."},
	[WORD_CHANGES_TABLE] = {"期間中の変更", "Changes in the period"},
	[WORD_CHANGES_NONE] = {"期間中、対象の変更はありませんでした。",
		"Nothing changed in the period."},
	[WORD_DAY] = {"日付", "Day"},
	[WORD_CHANGE] = {"変更", "Change"},
	[WORD_CHANGE_FIRST + REPORT_ADDED] = {"対象に追加", "Added"},
	[WORD_CHANGE_FIRST + REPORT_REOPENED] = {"フィルタリングを再開", "Filtered again"},
	[WORD_CHANGE_FIRST + REPORT_ENDED] = {"フィルタリングを終了", "Ended"},
	[WORD_CHANGE_FIRST + REPORT_WATCHED] = {"再び観測の対象に", "Watched again, not filtered"},
	[WORD_CHANGE_FIRST + REPORT_FQDNS_ADDED] = {"FQDN を追加", "FQDNs added"},
	[WORD_CHANGE_FIRST + REPORT_FQDNS_ENDED] = {"FQDN の一部を終了", "Some FQDNs ended"},
	[WORD_CORRECTIONS] = {"手入力した数値と訂正", "Figures entered by hand, and corrections"},
	[WORD_CORRECTIONS_SEE] =
		{"装置の計数のほかに、表 %u の数値を加えています（負の数は減算）。",
			"The figures of table %u were added to what boxes counted; negative ones "
			"take away."},
	[WORD_CORRECTIONS_TABLE] = {"手入力した数値と訂正", "Figures entered by hand"},
	[WORD_CORRECTIONS_NONE] = {"手入力した数値と訂正はありません。",
		"No figure was entered by hand, and none was corrected."},
	[WORD_FOR] = {"対象期間", "For"},
	[WORD_ENTERED] = {"入力日", "Entered"},
	[WORD_NOTE] = {"内容", "Note"},
	[WORD_LOST] = {"記録の欠落", "Records lost"},
	[WORD_LOST_ROW] = {"次の場所で、ログに残らなかった記録があります（割合と件数には影響しませ"
			   "ん）：%s %s 件",
		"Not in the log, with no effect on shares and counts: lost at %s: %s"},
	[WORD_LOST_NONE] = {"ログに残らなかった記録はありません。",
		"No record was missing in the log."},
	[WORD_NUMBER_WITHHELD] = {"–", "–"},
	[WORD_PAGE] = {"%u / %u", "%u / %u"},
};

const char *report_word(enum report_word word, enum report_language language)
{
	return words[word][language];
}

const char *report_language_tag(enum report_language language)
{
	return language == REPORT_JA ? "ja" : "en";
}
