/** One of each kind of object. */
export const SMALL_SCHEMA = `
  create table t (id int primary key, v varchar(20)); insert into t values (1, 'one'), (2, 'two');
  create table u (id int primary key, t int, foreign key (t) references t (id)); insert into u values (1, 1);
  create trigger t_first before insert on t for each row set new.v = upper(new.v);
  create view w as select id from t;
  create procedure p() select 1;
  create event e on schedule every 1 day starts '2030-01-01' do set @x = 1;
  create sequence s;
  create table n (id int not null default nextval(s) primary key); insert into n () values ();
`;
/** What it replaces: of some names the same, of others not. */
export const OLD_SCHEMA = `
  create table t (a int); insert into t values (7);
  create table only_old (a int primary key); insert into only_old values (8);
  create trigger t_first before insert on t for each row set new.a = new.a + 1;
  create view w as select a from t;
  create view broken as select a from only_old; 
  create function f() returns int deterministic return 1;
  create event e_old on schedule every 1 day starts '2030-01-01' do set @x = 2;
`;

/** A dump names sequences in defaults with their database. */
export const namesOfSequences = (dump: string): string => dump.replace(/nextval\(`\w+`\./g, 'nextval(');
