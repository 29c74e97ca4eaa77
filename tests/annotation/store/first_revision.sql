BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE answers (
	id INTEGER NOT NULL, 
	assignment_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	answer TEXT NOT NULL, 
	frame_shown BIGINT, 
	given DATETIME NOT NULL, 
	software TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (assignment_id, version), 
	FOREIGN KEY(assignment_id) REFERENCES assignments (id)
);
INSERT INTO "answers" VALUES(1,3,1,'{"kind":"keyframes","expression":true,"onset":100,"apex":130,"offset":170,"several":false,"note":""}',80,'2026-11-25 16:00:30.276212','dfme 0.1.0');
INSERT INTO "answers" VALUES(2,8,1,'{"kind":"keyframes","expression":true,"onset":102,"apex":132,"offset":172,"several":false,"note":""}',80,'2026-11-25 16:00:30.279672','dfme 0.1.0');
INSERT INTO "answers" VALUES(3,10,1,'{"kind":"keyframes","expression":true,"onset":99,"apex":129,"offset":169,"several":false,"note":""}',80,'2026-11-25 16:00:30.280535','dfme 0.1.0');
INSERT INTO "answers" VALUES(4,4,1,'{"kind":"keyframes","expression":true,"onset":290,"apex":320,"offset":380,"several":false,"note":""}',280,'2026-11-25 16:00:30.281256','dfme 0.1.0');
INSERT INTO "answers" VALUES(5,7,1,'{"kind":"keyframes","expression":true,"onset":292,"apex":322,"offset":382,"several":false,"note":""}',280,'2026-11-25 16:00:30.438034','dfme 0.1.0');
INSERT INTO "answers" VALUES(6,12,1,'{"kind":"keyframes","expression":true,"onset":289,"apex":319,"offset":379,"several":false,"note":""}',280,'2026-11-25 16:00:30.464731','dfme 0.1.0');
INSERT INTO "answers" VALUES(7,2,1,'{"kind":"keyframes","expression":true,"onset":100,"apex":130,"offset":170,"several":false,"note":""}',80,'2026-11-25 16:00:30.470707','dfme 0.1.0');
INSERT INTO "answers" VALUES(8,6,1,'{"kind":"keyframes","expression":true,"onset":102,"apex":132,"offset":172,"several":false,"note":""}',80,'2026-11-25 16:00:30.471846','dfme 0.1.0');
INSERT INTO "answers" VALUES(9,9,1,'{"kind":"keyframes","expression":true,"onset":99,"apex":129,"offset":169,"several":false,"note":""}',80,'2026-11-25 16:00:30.472738','dfme 0.1.0');
INSERT INTO "answers" VALUES(10,1,1,'{"kind":"keyframes","expression":true,"onset":290,"apex":320,"offset":380,"several":false,"note":""}',280,'2026-11-25 16:00:30.473609','dfme 0.1.0');
INSERT INTO "answers" VALUES(11,5,1,'{"kind":"keyframes","expression":true,"onset":292,"apex":322,"offset":382,"several":false,"note":""}',280,'2026-11-25 16:00:30.474309','dfme 0.1.0');
INSERT INTO "answers" VALUES(12,11,1,'{"kind":"keyframes","expression":true,"onset":289,"apex":319,"offset":379,"several":false,"note":""}',280,'2026-11-25 16:00:30.475018','dfme 0.1.0');
INSERT INTO "answers" VALUES(13,15,1,'{"units":["AU6","AU12"],"note":"","kind":"units"}',80,'2026-11-25 16:00:32.437242','dfme 0.1.0');
INSERT INTO "answers" VALUES(14,18,1,'{"units":["AU12"],"note":"","kind":"units"}',80,'2026-11-25 16:00:32.443320','dfme 0.1.0');
INSERT INTO "answers" VALUES(15,13,1,'{"units":["L-AU12"],"note":"","kind":"units"}',280,'2026-11-25 16:00:32.444177','dfme 0.1.0');
INSERT INTO "answers" VALUES(16,17,1,'{"units":["L-AU12"],"note":"","kind":"units"}',280,'2026-11-25 16:00:32.444848','dfme 0.1.0');
INSERT INTO "answers" VALUES(17,14,1,'{"units":["AU6","AU12"],"note":"","kind":"units"}',80,'2026-11-25 16:00:32.445618','dfme 0.1.0');
INSERT INTO "answers" VALUES(18,19,1,'{"units":["AU6","AU12"],"note":"","kind":"units"}',80,'2026-11-25 16:00:32.446226','dfme 0.1.0');
INSERT INTO "answers" VALUES(19,16,1,'{"units":["L-AU12"],"note":"","kind":"units"}',280,'2026-11-25 16:00:32.446816','dfme 0.1.0');
INSERT INTO "answers" VALUES(20,20,1,'{"units":["L-AU12"],"note":"","kind":"units"}',280,'2026-11-25 16:00:32.447354','dfme 0.1.0');
INSERT INTO "answers" VALUES(21,21,1,'{"units":["AU6","AU12"],"note":"","kind":"crosscheck"}',80,'2026-11-25 16:00:32.665334','dfme 0.1.0');
INSERT INTO "answers" VALUES(22,22,1,'{"units":["AU6","AU12"],"note":"","kind":"crosscheck"}',80,'2026-11-25 16:00:32.753316','dfme 0.1.0');
INSERT INTO "answers" VALUES(23,26,1,'{"kind":"emotion","emotion":"happiness","note":""}',80,'2026-11-25 16:00:33.016522','dfme 0.1.0');
INSERT INTO "answers" VALUES(24,29,1,'{"kind":"emotion","emotion":"happiness","note":""}',80,'2026-11-25 16:00:33.100495','dfme 0.1.0');
INSERT INTO "answers" VALUES(25,34,1,'{"kind":"emotion","emotion":"others","note":""}',80,'2026-11-25 16:00:33.120927','dfme 0.1.0');
INSERT INTO "answers" VALUES(26,23,1,'{"kind":"emotion","emotion":"contempt","note":""}',280,'2026-11-25 16:00:33.215109','dfme 0.1.0');
INSERT INTO "answers" VALUES(27,28,1,'{"kind":"emotion","emotion":"contempt","note":""}',280,'2026-11-25 16:00:33.216454','dfme 0.1.0');
INSERT INTO "answers" VALUES(28,32,1,'{"kind":"emotion","emotion":"others","note":""}',280,'2026-11-25 16:00:33.217291','dfme 0.1.0');
INSERT INTO "answers" VALUES(29,24,1,'{"kind":"emotion","emotion":"happiness","note":""}',80,'2026-11-25 16:00:33.308036','dfme 0.1.0');
INSERT INTO "answers" VALUES(30,30,1,'{"kind":"emotion","emotion":"happiness","note":""}',80,'2026-11-25 16:00:33.308984','dfme 0.1.0');
INSERT INTO "answers" VALUES(31,31,1,'{"kind":"emotion","emotion":"others","note":""}',80,'2026-11-25 16:00:33.482667','dfme 0.1.0');
INSERT INTO "answers" VALUES(32,25,1,'{"kind":"emotion","emotion":"contempt","note":""}',280,'2026-11-25 16:00:33.483755','dfme 0.1.0');
INSERT INTO "answers" VALUES(33,27,1,'{"kind":"emotion","emotion":"contempt","note":""}',280,'2026-11-25 16:00:33.484549','dfme 0.1.0');
INSERT INTO "answers" VALUES(34,33,1,'{"kind":"emotion","emotion":"others","note":""}',280,'2026-11-25 16:00:33.485251','dfme 0.1.0');
CREATE TABLE assignments (
	id INTEGER NOT NULL, 
	round_id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	recording_id INTEGER NOT NULL, 
	clip_id INTEGER, 
	position INTEGER NOT NULL, 
	repeat_of INTEGER, 
	PRIMARY KEY (id), 
	UNIQUE (round_id, user_id, position), 
	FOREIGN KEY(round_id) REFERENCES rounds (id), 
	FOREIGN KEY(user_id) REFERENCES users (id), 
	FOREIGN KEY(recording_id) REFERENCES recordings (id), 
	FOREIGN KEY(clip_id) REFERENCES clips (id), 
	FOREIGN KEY(repeat_of) REFERENCES assignments (id)
);
INSERT INTO "assignments" VALUES(1,1,1,2,4,1,NULL);
INSERT INTO "assignments" VALUES(2,1,1,2,3,2,NULL);
INSERT INTO "assignments" VALUES(3,1,1,1,1,3,NULL);
INSERT INTO "assignments" VALUES(4,1,1,1,2,4,NULL);
INSERT INTO "assignments" VALUES(5,1,2,2,4,1,NULL);
INSERT INTO "assignments" VALUES(6,1,2,2,3,2,NULL);
INSERT INTO "assignments" VALUES(7,1,2,1,2,3,NULL);
INSERT INTO "assignments" VALUES(8,1,2,1,1,4,NULL);
INSERT INTO "assignments" VALUES(9,1,3,2,3,1,NULL);
INSERT INTO "assignments" VALUES(10,1,3,1,1,2,NULL);
INSERT INTO "assignments" VALUES(11,1,3,2,4,3,NULL);
INSERT INTO "assignments" VALUES(12,1,3,1,2,4,NULL);
INSERT INTO "assignments" VALUES(13,2,1,1,2,1,NULL);
INSERT INTO "assignments" VALUES(14,2,1,2,3,2,NULL);
INSERT INTO "assignments" VALUES(15,2,1,1,1,3,NULL);
INSERT INTO "assignments" VALUES(16,2,2,2,4,1,NULL);
INSERT INTO "assignments" VALUES(17,2,2,1,2,2,NULL);
INSERT INTO "assignments" VALUES(18,2,2,1,1,3,NULL);
INSERT INTO "assignments" VALUES(19,2,3,2,3,1,NULL);
INSERT INTO "assignments" VALUES(20,2,3,2,4,2,NULL);
INSERT INTO "assignments" VALUES(21,3,1,1,1,1,NULL);
INSERT INTO "assignments" VALUES(22,3,2,1,1,1,NULL);
INSERT INTO "assignments" VALUES(23,4,1,1,2,1,NULL);
INSERT INTO "assignments" VALUES(24,4,1,2,3,2,NULL);
INSERT INTO "assignments" VALUES(25,4,1,2,4,3,NULL);
INSERT INTO "assignments" VALUES(26,4,1,1,1,4,NULL);
INSERT INTO "assignments" VALUES(27,4,2,2,4,1,NULL);
INSERT INTO "assignments" VALUES(28,4,2,1,2,2,NULL);
INSERT INTO "assignments" VALUES(29,4,2,1,1,3,NULL);
INSERT INTO "assignments" VALUES(30,4,2,2,3,4,NULL);
INSERT INTO "assignments" VALUES(31,4,3,2,3,1,NULL);
INSERT INTO "assignments" VALUES(32,4,3,1,2,2,NULL);
INSERT INTO "assignments" VALUES(33,4,3,2,4,3,NULL);
INSERT INTO "assignments" VALUES(34,4,3,1,1,4,NULL);
CREATE TABLE clips (
	id INTEGER NOT NULL, 
	recording_id INTEGER NOT NULL, 
	first_frame BIGINT NOT NULL, 
	last_frame BIGINT NOT NULL, 
	note TEXT NOT NULL, 
	origin TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	retired DATETIME, 
	PRIMARY KEY (id), 
	FOREIGN KEY(recording_id) REFERENCES recordings (id)
);
INSERT INTO "clips" VALUES(1,1,80,190,'','selection','sol','2026-11-25 16:00:30.147703',NULL);
INSERT INTO "clips" VALUES(2,1,280,399,'','selection','sol','2026-11-25 16:00:30.147781',NULL);
INSERT INTO "clips" VALUES(3,2,80,190,'','selection','sol','2026-11-25 16:00:30.147803',NULL);
INSERT INTO "clips" VALUES(4,2,280,399,'','selection','sol','2026-11-25 16:00:30.147832',NULL);
CREATE TABLE decisions (
	id INTEGER NOT NULL, 
	round_id INTEGER NOT NULL, 
	clip_id INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	answer TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	given DATETIME NOT NULL, 
	software TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(round_id) REFERENCES rounds (id), 
	FOREIGN KEY(clip_id) REFERENCES clips (id)
);
CREATE TABLE logins (
	token_hash VARCHAR(64) NOT NULL, 
	user_id INTEGER NOT NULL, 
	created DATETIME NOT NULL, 
	expires DATETIME NOT NULL, 
	PRIMARY KEY (token_hash), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE TABLE recordings (
	id INTEGER NOT NULL, 
	path VARCHAR(500) NOT NULL, 
	session TEXT NOT NULL, 
	trial TEXT NOT NULL, 
	participant TEXT, 
	frames BIGINT NOT NULL, 
	rate_fps FLOAT NOT NULL, 
	width_px INTEGER NOT NULL, 
	height_px INTEGER NOT NULL, 
	stimulus TEXT, 
	stimulus_emotion TEXT, 
	missing BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (path)
);
INSERT INTO "recordings" VALUES(1,'2026-11-25T16-00-25_P01/recordings/trial-001.zarr','2026-11-25T16-00-25_P01','trial-001','P01',400,500.0,64,48,'17h','happiness',0);
INSERT INTO "recordings" VALUES(2,'2026-11-25T16-00-25_P01/recordings/trial-002.zarr','2026-11-25T16-00-25_P01','trial-002','P01',400,500.0,64,48,'17h','happiness',0);
CREATE TABLE rounds (
	id INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	coders INTEGER NOT NULL, 
	seed BIGINT NOT NULL, 
	opened_by TEXT NOT NULL, 
	opened DATETIME NOT NULL, 
	closed DATETIME, 
	PRIMARY KEY (id)
);
INSERT INTO "rounds" VALUES(1,'keyframes',3,1,'lena','2026-11-25 16:00:30.159877','2026-11-25 16:00:30.475980');
INSERT INTO "rounds" VALUES(2,'units',2,2,'lena','2026-11-25 16:00:32.404210','2026-11-25 16:00:32.447688');
INSERT INTO "rounds" VALUES(3,'crosscheck',2,3,'lena','2026-11-25 16:00:32.654706','2026-11-25 16:00:32.804520');
INSERT INTO "rounds" VALUES(4,'emotion',3,4,'lena','2026-11-25 16:00:32.884816','2026-11-25 16:00:33.584644');
CREATE TABLE users (
	id INTEGER NOT NULL, 
	name VARCHAR(40) NOT NULL, 
	password_hash TEXT NOT NULL, 
	roles TEXT NOT NULL, 
	active BOOLEAN NOT NULL, 
	created DATETIME NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "users" VALUES(1,'ana','scrypt$16384$b3f2ace837da0e36576d6e06e1c0d09f$6aa53b89e80d4a8f4f3f5161fc23e412005f94eb7e70fca768cce25ad29febcd50314c71b47d38dde7d7446dc9244e24196d14d4ae72e7e68a0b7288c72d16d4','keyframe,au,emotion',1,'2026-11-25 16:00:29.120368');
INSERT INTO "users" VALUES(2,'ben','scrypt$16384$245e266c60ebc48cef401a96414811d4$360b05f7c90d65382ae0bb1b641bbdbb0f1800b51b7a977688e323c65692f845ee7e2cc3710150b1036e7a47f234a5be582e4dfd6202b495185d247cc446c577','keyframe,au,emotion',1,'2026-11-25 16:00:29.645999');
INSERT INTO "users" VALUES(3,'cem','scrypt$16384$e4cd4b362f0f313cc9b1a90ad7b4355b$efb90c420bd0edf5a1b4f6ae3eeaf21641c2c92d363d08a589e58ec44c6b5355dc90a7f0c96c17a4b13b92016b32260f17cc614687e92e7abf03a9ee3e7d7366','keyframe,au,emotion',1,'2026-11-25 16:00:30.146003');
CREATE INDEX ix_logins_user_id ON logins (user_id);
CREATE INDEX ix_clips_recording_id ON clips (recording_id);
CREATE INDEX ix_rounds_kind ON rounds (kind);
CREATE INDEX ix_assignments_user_id ON assignments (user_id);
CREATE INDEX assignments_by_clip ON assignments (round_id, clip_id);
CREATE INDEX ix_answers_assignment_id ON answers (assignment_id);
CREATE INDEX ix_decisions_round_id ON decisions (round_id);
CREATE INDEX ix_decisions_clip_id ON decisions (clip_id);
COMMIT;
