-- about it
\d t
select ';' /* ; */, $$;$$;
;;\x
select 1