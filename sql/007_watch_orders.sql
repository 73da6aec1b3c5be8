-- orders is watched out of the box.
SELECT rowcast.watch('public.orders');
