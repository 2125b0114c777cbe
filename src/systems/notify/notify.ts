// The door of telling people: how a message looks to each of those who take one. What goes by HTTP is sent by whoever has the one client.
export { type Message, type NoticeEvent, noticeEvents } from './message.js';
export { type Relay, sendMail } from './mail.js';
export { type SignedRequest, toSignedRequest } from './signed-webhook.js';
export { readSlackAnswer, toSlack, toSlackPost } from './slack.js';
export { toTeams } from './teams.js';
